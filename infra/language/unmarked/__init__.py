"""Finds what people read and no catalogue can have: strings of templates, code and scripts that are not marked."""
