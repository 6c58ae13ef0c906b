"""What is known of blood cells and counts. Imports no Django and nothing of ours."""
