"""English as laboratories of all countries read it: day before month, 24 hours, and the zone with a time."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i T"
DATETIME_FORMAT = "j M Y, H:i T"
