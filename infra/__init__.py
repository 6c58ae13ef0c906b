"""Running the product: the one-machine stack, the command line and its HTTP client, the demonstration."""
