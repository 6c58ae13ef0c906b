"""How long the embedded model server waits; what it is started with has its defaults in `__main__`."""

ALLOWANCE_S = 0.01
"""How much longer a request may wait for each image in it (see `ComputePool`)."""

SETTLE_S = 1.0
"""A version folder is complete when both its files are there and have not changed for so long."""

GRACE_S = 30.0
"""How long requests under way may take to finish after the server was told to stop."""
