"""What second factors are computed from lies encrypted: secrets of apps, seeds of recovery codes.

Allauth keeps both in a JSON column of its own table, and does not say whose they are when it has them
encrypted: they are sealed for that column, not for its rows. Whoever can write to the table could take a
person's second factor away altogether. What an older installation left unencrypted is read, and sealed by
the next rotation of the keys.
"""

from collections.abc import Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from psycopg.types.json import Jsonb

from webapp.audit.chain import INSTALLATION
from webapp.crypto.cipher import Place
from webapp.crypto.texts import TextFormat, TextKeyId, seal_text, unseal_text

SECRET_OF = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}
_SECRET = Coalesce(KT("data__secret"), KT("data__seed"))
PLACE = Place(Authenticator._meta.db_table, "data", INSTALLATION, row="any")


def seal_secret(text: str) -> str:
    return seal_text(text, PLACE)


def open_secret(written: str) -> str:
    """The secret that lies in the database.

    Raises:
        Unreadable: it was altered, or its key is gone.
    """
    return unseal_text(written, PLACE)


class FactorTable:
    """Allauth's table, as rotation goes through it."""

    model = Authenticator
    columns: Sequence[str] = ("data",)
    key_ids: dict[str, models.Func] = {"secret_key": TextKeyId(_SECRET)}
    formats: dict[str, models.Func] = {"secret_format": TextFormat(_SECRET)}
    locked: Sequence[str] = ()

    def rows(self) -> "models.QuerySet[Any]":
        rows: models.QuerySet[Any] = Authenticator.objects.filter(type__in=SECRET_OF)
        return rows

    def sealed_anew(self, row: Authenticator) -> list[Any]:
        name = SECRET_OF[row.type]
        return [Jsonb({**row.data, name: seal_secret(open_secret(row.data[name]))})]
