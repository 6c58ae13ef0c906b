"""The HTTP API, by domain. Each view names the permission it needs, by method, in `needs`."""
