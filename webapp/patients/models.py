import secrets
import uuid
from functools import cached_property
from typing import ClassVar

from django.db import models
from django.db.models import Value
from django_scopes import ScopedManager

from webapp.crypto.cipher import OwnKey
from webapp.crypto.fields import EncryptedDateField, EncryptedKeyField, EncryptedTextField, KeyedHashField
from webapp.crypto.keys import KEY_BYTES
from webapp.labs.models import Lab
from webapp.patients.identifiers import normal_mrn


class Patient(models.Model):  # type: ignore[django-manager-missing] # made at run time
    """A person of whom a lab has cases. Who they are lies under a key of their own, in a row of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    name = EncryptedTextField(default="", key="key")
    mrn = EncryptedTextField(default="", key="key")
    birth_date = EncryptedDateField(default=None, key="key")
    sex = EncryptedTextField(default="", key="key")
    merged_into = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="merged",
        help_text="Who this person turned out to be; one who is merged into nobody.",
    )
    gave = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        help_text="Which of the above were taken over from them when they were merged.",
    )
    erased_at = models.DateTimeField(null=True, help_text="When the key was deleted.")

    objects: ClassVar[models.Manager["Patient"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return f"patient {self.id}"


class PatientKey(models.Model):
    """What lies under the lab's key of a patient: their own key, and the hash of their MRN.

    Deleting the row erases the person, for nothing else opens what is sealed under the key, and nothing else
    finds them.
    """

    patient = models.OneToOneField(Patient, primary_key=True, on_delete=models.CASCADE, related_name="key")
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    key = EncryptedKeyField()
    mrn_hash = KeyedHashField(source="patient.mrn", normalise=normal_mrn)

    objects: ClassVar[models.Manager["PatientKey"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "mrn_hash"], name="mrn_once_per_lab")]

    def __str__(self) -> str:
        return f"key of patient {self.patient_id}"

    @classmethod
    def of(cls, patient: Patient) -> "PatientKey":
        """A new key, with which `patient` can be sealed from now on."""
        return cls(patient=patient, lab_id=patient.lab_id, key=secrets.token_bytes(KEY_BYTES))

    @cached_property
    def own_key(self) -> OwnKey:
        """Unwrapped once for each row that is read.

        Raises:
            Unreadable: it was tampered with, or the lab's key is gone.
        """
        return OwnKey(self.patient_id, self.key)
