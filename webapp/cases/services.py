from django.db import IntegrityError, transaction

from webapp.accounts.models import User
from webapp.cases.models import Case
from webapp.labs.models import Lab


class AccessionTaken(Exception):
    """The lab has a case with this accession number already."""


def create_case(lab: Lab, *, accession: str, by: User) -> Case:
    """Open a case for one specimen.

    Raises:
        AccessionTaken: the accession number names another case of this lab.
    """
    try:
        with transaction.atomic():
            return Case.objects.create(lab=lab, accession=accession, created_by=by)
    except IntegrityError as error:
        raise AccessionTaken(
            f"Case {accession} exists already. Open it, or choose another accession number."
        ) from error
