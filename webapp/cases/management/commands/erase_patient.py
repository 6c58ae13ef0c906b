from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_scopes import scope, scopes_disabled

from webapp.cases.services import erase
from webapp.patients.models import Patient
from webapp.patients.services import MergedInto, PatientErased


class Command(BaseCommand):
    help = _(
        "Make unreadable for good who a patient is and all that was written of them: their key "
        "is deleted. Cases and counts stay. The id stands on the page that enters the patient, "
        "and in the API."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--patient", required=True, type=UUID, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        with scopes_disabled():
            found = Patient.objects.select_related("lab").filter(id=options["patient"]).first()
        if found is None:
            raise CommandError(_("There is no patient with this id."))
        try:
            with scope(lab=found.lab):
                cases = erase(found)
        except MergedInto as error:
            raise CommandError(str(error)) from None
        except PatientErased:
            raise CommandError(_("They were erased already.")) from None
        self.stdout.write(
            ngettext(
                "Erased; %(n)s case stays. Backups made before still hold the key: delete them once "
                "they may go, and erase again after restoring one.",
                "Erased; %(n)s cases stay. Backups made before still hold the key: delete them once "
                "they may go, and erase again after restoring one.",
                cases,
            )
            % {"n": cases}
        )
