"""What the scripts of pages say, in the reader's language: Django's script of their catalogue.

Its address names language and content, so that a browser keeps it until either changes.
"""

from functools import lru_cache
from hashlib import sha256

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation.trans_real import DjangoTranslation
from django.views.decorators.http import require_GET
from django.views.i18n import JavaScriptCatalog


class _Catalogue(JavaScriptCatalog):
    """Of our own scripts alone: those of Django's admin are not here."""

    def script(self, language: str) -> bytes:
        paths = [str(path) for path in settings.LOCALE_PATHS]
        with translation.override(language):
            self.translation = DjangoTranslation(language, domain=self.domain, localedirs=paths)
            return self.render_to_response(self.get_context_data()).content


@lru_cache
def script(language: str) -> bytes:
    return _Catalogue().script(language)


def address() -> str:
    """Of the script in the active language."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return reverse("ui:catalogue", args=[language, _digest(script(language))])


@require_GET
def catalogue(request: HttpRequest, language: str, digest: str) -> HttpResponse:
    if language not in dict(settings.LANGUAGES):
        raise Http404
    body = script(language)
    # During an upgrade a page may ask another release than the one that made it.
    headers = {"Cache-Control": "public, max-age=31536000, immutable"} if digest == _digest(body) else {}
    return HttpResponse(body, content_type="text/javascript; charset=utf-8", headers=headers)


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()[:12]
