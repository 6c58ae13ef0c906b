"""A client of the HTTP API, what it reads from disk, and what it shows of it."""
