from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from webapp.patients.models import Patient, PatientKey


def patients() -> QuerySet[Patient]:
    """The lab's patients, with what opens who they are."""
    return Patient.objects.select_related("key")


def with_mrn(lab_id: UUID, mrn: str) -> QuerySet[Patient]:
    """Whom the lab knows by exactly this MRN, as far as separators and case go: one or nobody.

    Who was merged into another is found as that other.
    """
    hashes = PatientKey._meta.get_field("mrn_hash").hashes(mrn, lab_id)
    known = PatientKey.objects.filter(mrn_hash__in=hashes)
    return patients().filter(id__in=known.values(found=Coalesce("patient__merged_into_id", "patient_id")))
