"""Data keys as they are written in settings."""

import base64


def key(day: str = "2026-01-31", byte: int = 1) -> str:
    return f"{day}-aaaaaa:{base64.b64encode(bytes([byte]) * 32).decode()}"


OLD, NEW = key("2025-01-31", 1), key("2026-01-31", 2)
