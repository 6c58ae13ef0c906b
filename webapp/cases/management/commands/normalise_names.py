from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_scopes import scopes_disabled

from webapp.accounts.models import User
from webapp.cases.models import Case
from webapp.crypto.cipher import Unreadable
from webapp.labs.models import ApiToken, Lab
from webapp.patients.models import PatientKey

BATCH = 500
WRITTEN: list[tuple[type[models.Model], str]] = [
    (User, "name"),
    (Lab, "name"),
    (ApiToken, "name"),
    (Case, "accession"),
]


class Command(BaseCommand):
    help = _(
        "Normalise names, accession numbers and hashes of MRNs of older rows as it is done "
        "today: else those written in another form of Unicode are not found. May be stopped and "
        "run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with scopes_disabled():
            for model, name in WRITTEN:
                self._normalised(model, name)
            self._hash()

    def _normalised(self, model: type[models.Model], name: str) -> None:
        field: Any = model._meta.get_field(name)
        changed = 0
        for pk, text in _rows(model.objects, name):  # type: ignore[attr-defined]
            if field.normalise(text) == text:
                continue
            try:
                with transaction.atomic():
                    model.objects.filter(pk=pk).update(**{name: text})  # type: ignore[attr-defined]
                changed += 1
            except IntegrityError:
                self.stderr.write(_taken(name) % {"row": model._meta.verbose_name, "id": pk})
        self.stdout.write(
            _normalised(name, changed) % {"rows": model._meta.verbose_name_plural, "n": changed}
        )

    def _hash(self) -> None:
        field: Any = PatientKey._meta.get_field("mrn_hash")
        changed = 0
        for key in PatientKey.objects.select_related("patient").order_by("pk").iterator(BATCH):
            try:
                hashes = field.hashes(key.patient.mrn, key.lab_id)
            except Unreadable:
                continue  # logged
            if not hashes or bytes(key.mrn_hash or b"") in hashes:
                continue
            try:
                with transaction.atomic():
                    PatientKey.objects.filter(pk=key.pk).update(mrn_hash=hashes[0])
                changed += 1
            except IntegrityError:
                self.stderr.write(
                    _("patient %(id)s: another has this MRN already. Merge the two.") % {"id": key.pk}
                )
        self.stdout.write(
            ngettext("patients: %(n)s MRN hashed anew.", "patients: %(n)s MRNs hashed anew.", changed)
            % {"n": changed}
        )


def _taken(field: str) -> str:
    if field == "accession":
        return _("%(row)s %(id)s: another has this accession already. It stays as it is.")
    return _("%(row)s %(id)s: another has this name already. It stays as it is.")


def _normalised(field: str, n: int) -> str:
    if field == "accession":
        return ngettext("%(rows)s: %(n)s accession normalised.", "%(rows)s: %(n)s accessions normalised.", n)
    return ngettext("%(rows)s: %(n)s name normalised.", "%(rows)s: %(n)s names normalised.", n)


def _rows(rows: Any, name: str) -> Iterator[tuple[Any, str]]:
    found: Iterator[tuple[Any, str]] = rows.order_by("pk").values_list("pk", name).iterator(BATCH)
    return found
