"""The demonstration: drawn cells, and a run of the whole product on them."""
