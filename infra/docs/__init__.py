"""Pages and pictures of docs/ that are made by programs."""
