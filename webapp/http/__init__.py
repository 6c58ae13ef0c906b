"""What every request passes before any domain: how it arrives, what it may send, what every answer says."""
