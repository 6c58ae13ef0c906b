"""Formats of dates and times by language, where they are to differ from Django's."""
