"""English as laboratories of all countries read it: the day before the month, 24 hours, the zone with a time."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i T"
DATETIME_FORMAT = "j M Y, H:i T"
