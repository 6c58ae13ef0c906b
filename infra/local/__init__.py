"""The whole product on one machine: every service from a wheel, supervised, its state in one folder."""
