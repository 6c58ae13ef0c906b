"""How a message lies in the database: as a sealed text, which opens in its own row alone."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import models

from webapp.audit.chain import INSTALLATION
from webapp.crypto.cipher import Place
from webapp.crypto.texts import TextFormat, TextKeyId, seal_text, unseal_text
from webapp.mail.models import Message

PARTS = ("subject", "body", "from_email", "to")


def seal_message(message: EmailMessage, row: UUID) -> str:
    """A message of plain text, as its row keeps it."""
    return seal_text(json.dumps({part: getattr(message, part) for part in PARTS}), _place(row))


def open_message(row: Message) -> EmailMessage:
    """The message that lies in `row`.

    Raises:
        Unreadable: it was altered, or its key is gone.
    """
    return EmailMessage(**json.loads(unseal_text(row.sealed, _place(row.id))))


class MessageTable:
    """The waiting messages, as rotation of the keys goes through them."""

    model = Message
    columns: Sequence[str] = ("sealed",)
    key_ids: dict[str, models.Func] = {"sealed_key": TextKeyId("sealed")}
    formats: dict[str, models.Func] = {"sealed_format": TextFormat("sealed")}
    locked: Sequence[str] = ()

    def rows(self) -> "models.QuerySet[Any]":
        return Message.objects.all()

    def sealed_anew(self, row: Message) -> list[str]:
        return [seal_message(open_message(row), row.id)]


def _place(row: UUID) -> Place:
    return Place(Message._meta.db_table, "sealed", INSTALLATION, str(row))
