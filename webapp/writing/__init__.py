"""What people write: normalised where nobody sees a difference, invalid where a character cannot be seen."""
