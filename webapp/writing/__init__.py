"""What people write: made even where nobody sees a difference, refused by name where something hides."""
