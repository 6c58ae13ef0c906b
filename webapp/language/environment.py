"""The language of whoever types a command: there is no request, and the environment says it."""

from collections.abc import Mapping

from django.conf import settings
from django.utils import translation


def activate(environ: Mapping[str, str]) -> None:
    """Speak the language that LANGUAGE, LC_ALL, LC_MESSAGES or LANG names, as gettext has it; or English."""
    try:
        translation.activate(_language(environ))
    except Exception:  # noqa: BLE001 - whatever is wrong with a catalogue, the command can do without
        translation.activate(settings.LANGUAGE_CODE)


def _language(environ: Mapping[str, str]) -> str:
    """The first of those named that we have: German for `de_AT.UTF-8`, where there is none of Austria's."""
    named = next(filter(None, map(environ.get, ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))), "")
    for locale in named.split(":"):
        language = translation.to_language(locale.partition(".")[0].partition("@")[0])
        try:
            return translation.get_supported_language_variant(language)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
