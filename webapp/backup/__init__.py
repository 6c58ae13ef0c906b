"""Copies of the whole installation in a folder, and the way back.

A snapshot is taken in this order: the anchors of the audit trail, the database, the objects. PostgreSQL's
dump is of one moment. Objects are there before the rows that name them, under versions that never change, and
are never deleted: so what is copied after the dump holds all that its rows name, while the product goes on
working. Were objects copied first, rows of the meantime would name what the copy lacks. Anchors vouch for
entries of the audit trail, and come first for the same reason: the dump holds every entry they vouch for.
"""
