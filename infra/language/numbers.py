"""Numbers as the reader writes them."""

from importlib import import_module

from infra.language import LANGUAGE, SOURCE


def decimal(value: float, places: int = 1) -> str:
    """With the decimal sign of the reader's language, as the pages have it."""
    text = f"{value:.{places}f}"
    if LANGUAGE == SOURCE:
        return text
    return text.replace(".", _separator(LANGUAGE))


def _separator(language: str) -> str:
    try:
        formats = import_module(f"django.conf.locale.{language}.formats")
    except ImportError:
        return "."
    return str(getattr(formats, "DECIMAL_SEPARATOR", "."))
