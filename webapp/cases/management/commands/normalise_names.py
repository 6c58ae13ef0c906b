from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
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
                self.stderr.write(
                    _("%(verbose_name)s %(pk)s: another has this %(name)s already. It stays as it is.")
                    % {"verbose_name": model._meta.verbose_name, "pk": pk, "name": name}
                )
        self.stdout.write(
            _("%(verbose_name_plural)s: %(changed)s %(name)ss normalised.")
            % {"verbose_name_plural": model._meta.verbose_name_plural, "changed": changed, "name": name}
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
                    _("patient %(pk)s: another has this MRN already. Merge the two.") % {"pk": key.pk}
                )
        self.stdout.write(_("patients: %(changed)s MRNs hashed anew.") % {"changed": changed})


def _rows(rows: Any, name: str) -> Iterator[tuple[Any, str]]:
    found: Iterator[tuple[Any, str]] = rows.order_by("pk").values_list("pk", name).iterator(BATCH)
    return found
