"""Finds what people read and no catalogue can have: strings that are not marked."""
