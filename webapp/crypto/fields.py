"""Model fields that lie encrypted in the database."""

import base64
from collections.abc import Callable
from datetime import date
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from webapp.crypto.cipher import Erased, OwnKey, Place, Sealed, keyed_hashes, seal, unseal


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

    It is sealed under a key of the lab's, or under one that whoever it is about has to themselves.

    Written by `save` and `bulk_create`; `update` takes what is sealed already. The row's primary key must be
    known before it is first written. Nothing can be looked up by it but whether the row is there: an empty
    value is sealed like any other, so that a value cannot be blanked unnoticed.

    Reading raises `webapp.crypto.cipher.Unreadable` where the value was tampered with, and `Erased` where the
    key that it is under was deleted.

    Args:
        key: where the row has what has the key, a model with `own_key`: names of relations, from one to the
            next by a point. What reads many rows selects them along. Where one on the way is null, and
            without `key`, it is the lab's key.
    """

    descriptor_class = _Opened

    def __init__(self, *args: Any, key: str = "", **options: Any) -> None:
        self.key = key
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, **({"key": self.key} if self.key else {})}

    def encode(self, value: Any) -> str:
        raise NotImplementedError

    def decode(self, text: str) -> Any:
        raise NotImplementedError

    def seal(self, value: Any, row: models.Model) -> Sealed:
        return seal(self.encode(value), self.place(row), self.own_key(row))

    def open(self, sealed: Sealed, row: models.Model) -> Any:
        """The value that lies sealed in `row`.

        Raises:
            Unreadable: it was altered or moved, or its key is gone.
        """
        return self.decode(unseal(sealed, self.place(row), self.own_key(row)))

    def own_key(self, row: models.Model) -> OwnKey | None:
        """The key of whom the row is about; none where the lab's key seals.

        Raises:
            Erased: it was deleted.
        """
        found: Any = row
        try:
            for relation in filter(None, self.key.split(".")):
                found = getattr(found, relation)
                if found is None:
                    return None
        except ObjectDoesNotExist:
            raise Erased(f"{self.place(row)} was erased.") from None  # untranslated: for the log
        return found.own_key if self.key else None

    def place(self, row: models.Model) -> Place:
        if row.pk is None:
            # untranslated: a fault of the caller's
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

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value)  # none where a row that is joined is not there

    def get_lookup(self, lookup_name: str) -> None:
        return None


class EncryptedTextField(EncryptedField):
    def encode(self, value: str) -> str:
        return value

    def decode(self, text: str) -> str:
        return text


class EncryptedKeyField(EncryptedField):
    """A key of a record's own, as bytes."""

    def encode(self, value: bytes) -> str:
        return base64.b64encode(value).decode()

    def decode(self, text: str) -> bytes:
        return base64.b64decode(text)


class EncryptedDateField(EncryptedField):
    def encode(self, value: date | None) -> str:
        return value.isoformat() if value else ""

    def decode(self, text: str) -> date | None:
        return date.fromisoformat(text) if text else None


class KeyedHashField(models.BinaryField):  # type: ignore[type-arg]  # not generic at run time
    """HMAC of an encrypted text field, by which rows of a lab can be found by exactly that text.

    Null where the text is empty. Values are normalised first, and equal where they are equal afterwards.

    Args:
        source: the encrypted field's name; where it is of a related row, behind the relation and a point.
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
        hashes = self.hashes(attrgetter(self.source)(model_instance), lab)
        value = hashes[0] if hashes else None
        setattr(model_instance, self.attname, value)
        return value
