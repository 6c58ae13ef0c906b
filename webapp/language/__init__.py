"""What is said to people in their own language, though it was kept before anybody knew which."""
