"""One of everything that a lab has, made once for the thousands of cases that ask for some of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django_scopes import scope

from tests.support.pages import add_cells, cell_of
from tests.support.people import Person
from tests.support.results import called_about, signed
from tests.support.review import decide
from webapp.cases.models import Case, Image
from webapp.cases.services import change_identifiers
from webapp.cases.specimen_services import add_scanner, add_slide
from webapp.jobs.kinds import Kind, Piece
from webapp.jobs.models import Job
from webapp.labs import invitations
from webapp.labs.models import ApiToken
from webapp.labs.permissions import Permission, Role
from webapp.notifications.models import Notification
from webapp.results.amending import amend
from webapp.results.delta_limits import propose
from webapp.review.models import Agreement, Reading
from webapp.review.services import open_reading
from webapp.rules.conditions import Then, read_all
from webapp.rules.services import Draft
from webapp.rules.services import add as add_rule
from webapp.worklist.models import SavedFilter

SECRET = "A-secret"
"""The accession of the case, which nobody else must read."""

KIND = Kind(
    "tried",
    "Tried",
    Permission.USE_TOKENS,
    "text/plain",
    "tried.txt",
    run=lambda job: Piece(b"", 0, 0),
    takes=(),
    check=dict,
    started=lambda job: None,
)
"""A job that every role may begin."""


@dataclass
class Place:
    """What an endpoint may be asked about: one of everything that a lab has."""

    case_id: uuid.UUID
    image_id: int
    cell_id: int
    member_id: int
    invitation_id: int
    token_id: int
    secret: str
    job_id: uuid.UUID
    notification_id: int
    slide_id: int
    scanner_id: int
    reading_id: int
    rule_id: uuid.UUID
    agreement_id: uuid.UUID
    call_id: uuid.UUID
    limit_id: int
    filter_id: int
    version: int = 1
    pk: int = 1
    provider_id: str = "google"
    language: str = "en"
    digest: str = "of-another-release"

    @property
    def addresses(self) -> dict[str, object]:
        """What the variables of addresses stand for."""
        return {**vars(self), "cell_ids": self.cell_id}


def furnished(alice: Person, colleagues: Mapping[Role, Person]) -> Place:
    """Give Alice's lab one of everything."""
    case = alice.case(SECRET)
    (image,) = add_cells(alice, case, "neutrophil", 0.97)
    with scope(lab=alice.lab):
        links: list[str] = []

        def link(secret: str) -> str:
            links.append(secret)
            return secret

        invitation = invitations.invite(
            alice.lab,
            email="invited@northern.example",
            role=Role.TECHNICIAN,
            by=alice.membership.user,
            link=link,
        )
        token = ApiToken.objects.get(membership=alice.membership)
        slide = add_slide(case, label="S-1")
        scanner = add_scanner(alice.lab, make="Imaginary")
        reading = open_reading(case, Reading.Kind.FIRST, reader=alice.membership.user)
        sign_and_amend(case, reading, image, colleagues[Role.PATHOLOGIST])
        second = open_reading(case, Reading.Kind.SECOND, reader=alice.membership.user)
        Reading.objects.filter(pk=second.pk).update(finished_at=timezone.now())
        agreement = Agreement.objects.create(
            lab=alice.lab,
            case=case,
            first=reading,
            second=second,
            confusion={},
            **dict.fromkeys(("first_revision", "second_revision", "cells", "agreed", "by_one"), 0),
        )
        condition = {"quantity": "count", "class": "blast", "op": ">", "value": "0"}
        draft = Draft("A blast", read_all([condition]), Then.MUST_SEE)
        rule = add_rule(alice.lab, draft, by=alice.membership.user)
        call = called_about(case, reading)
        limit = propose(
            alice.lab,
            by=alice.membership.user,
            cell_class="neutrophil",
            quantity="percent",
            change=Decimal(20),
            is_relative=False,
            days=30,
        )
        job, notification = its_own(alice)
        saved = SavedFilter.objects.create(membership=alice.membership, name="tests", query={})
    return Place(
        *(case.id, image.id, cell_of(image).id, alice.membership.id, invitation.id, token.id, links[0]),
        *(job.id, notification.id, slide.id, scanner.id, reading.id),
        rule_id=rule.id,
        agreement_id=agreement.id,
        call_id=call.id,
        limit_id=limit.pk,
        filter_id=saved.pk,
    )


def sign_and_amend(case: Case, reading: Reading, image: Image, by: Person) -> None:
    """The case has a result, and is open for all that a signed one is shut for."""
    change_identifiers(case, {"mrn": "4711"})
    decide(reading, [cell_of(image).id], "neutrophil", by=by.membership.user)
    signed(case, by)
    amend(case, by.membership, version=1, reason="A reason.")


def its_own(someone: Person) -> tuple[Job, Notification]:
    """What nobody but its owner sees: a job whose result they may have, and a notification."""
    job = Job.objects.create(
        lab=someone.lab,
        owner=someone.membership.user,
        kind=KIND.name,
        state=Job.State.DONE,
        result_key="somewhere",
    )
    return job, Notification.objects.create(recipient=someone.membership, kind="job_ended")
