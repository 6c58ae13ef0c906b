"""The pages, by domain. Each view says with `needs` whom it is for."""
