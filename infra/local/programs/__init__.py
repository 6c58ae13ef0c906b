"""The programs of the one-machine stack: how each is started, and as whom."""
