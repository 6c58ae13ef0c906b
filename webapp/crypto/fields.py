"""Model fields that lie encrypted in the database."""

from collections.abc import Callable
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from webapp.crypto.cipher import Place, Sealed, keyed_hashes, seal, unseal


class _Opened(DeferredAttribute):
    """Decrypts on access: what nobody looks at stays sealed, and one altered value spoils no list."""

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, Sealed):
            return value
        return cast(EncryptedField, self.field).open(value, instance)

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.Field):  # type: ignore[type-arg]  # not generic at run time
    """A value of the lab that the row's `lab_id` names, sealed for its table, column, lab and row.

    Written by `save` and `bulk_create`; `update` takes what is sealed already. The row's primary key must be
    known before it is first written. Nothing can be looked up by it but whether the row is there: an empty
    value is sealed like any other, so that a value cannot be blanked unnoticed.

    Reading raises `webapp.crypto.cipher.Unreadable` where the value was tampered with.
    """

    descriptor_class = _Opened

    def encode(self, value: Any) -> str:
        raise NotImplementedError

    def decode(self, text: str) -> Any:
        raise NotImplementedError

    def seal(self, value: Any, row: models.Model) -> Sealed:
        return seal(self.encode(value), self.place(row))

    def open(self, sealed: Sealed, row: models.Model) -> Any:
        """The value that lies sealed in `row`.

        Raises:
            Unreadable: it was altered or moved, or its key is gone.
        """
        return self.decode(unseal(sealed, self.place(row)))

    def place(self, row: models.Model) -> Place:
        if row.pk is None:
            raise ValueError(f"{self} cannot be sealed for a row without a primary key.")
        lab: UUID = row.lab_id  # type: ignore[attr-defined]
        return Place(self.model._meta.db_table, str(self.column), lab, str(row.pk))

    def get_internal_type(self) -> str:
        return "BinaryField"

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed:
        value = model_instance.__dict__[self.attname]
        if not isinstance(value, Sealed):
            value = model_instance.__dict__[self.attname] = self.seal(value, model_instance)
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if not isinstance(value, Sealed):
            raise TypeError(
                f"{self} is encrypted: it is written by `save`, and nothing can be looked up by it."
            )
        return connection.Database.Binary(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed:
        return Sealed(value)

    def get_lookup(self, lookup_name: str) -> None:
        return None


class EncryptedTextField(EncryptedField):
    def encode(self, value: str) -> str:
        return value

    def decode(self, text: str) -> str:
        return text


class EncryptedDateField(EncryptedField):
    def encode(self, value: date | None) -> str:
        return value.isoformat() if value else ""

    def decode(self, text: str) -> date | None:
        return date.fromisoformat(text) if text else None


class KeyedHashField(models.BinaryField):  # type: ignore[type-arg]  # not generic at run time
    """HMAC of an encrypted text field, by which rows of a lab can be found by exactly that text.

    Null where the text is empty. Values are normalised first, and equal where they are equal afterwards.

    Args:
        source: the encrypted field's name.
        normalise: what people write differently and mean alike.
    """

    def __init__(self, *, source: str, normalise: Callable[[str], str], **options: Any) -> None:
        self.source, self.normalise = source, normalise
        super().__init__(**options | {"max_length": 32, "null": True, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for derived in ("max_length", "null", "editable"):
            kwargs.pop(derived, None)
        return name, path, args, {**kwargs, "source": self.source, "normalise": self.normalise}

    def hashes(self, text: str, lab: UUID) -> list[bytes]:
        """What the column may hold for `text`: one hash for each key; none for an empty text."""
        plain = self.normalise(text)
        use = f"{self.model._meta.db_table}.{self.column}"
        return keyed_hashes(plain, use, lab) if plain else []

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        lab: UUID = model_instance.lab_id  # type: ignore[attr-defined]
        hashes = self.hashes(getattr(model_instance, self.source), lab)
        value = hashes[0] if hashes else None
        setattr(model_instance, self.attname, value)
        return value
