"""A refused file that a person looked at: set aside for a reason, on record, and for good."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django_scopes import scope

from tests.support.pages import add_cells, add_unusable, plain_static
from tests.support.people import person
from tests.support.present import present
from tests.support.results import ready, signed
from webapp.audit.models import Entry
from webapp.cases.closing import ReviewOver
from webapp.cases.models import Image, Review, SetAside
from webapp.cases.refusals import Refusal
from webapp.cases.selectors import not_counted, outstanding, progress_of
from webapp.cases.services import change_identifiers
from webapp.cases.setting_aside import CannotBeSetAside, set_aside
from webapp.labs.permissions import Role
from webapp.patients.services import PatientErased, erase
from webapp.uploads.services import File, begin

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")
WHY = "A note of the scanner, and no picture."


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        case = alice.case()
        change_identifiers(case, {"name": "Pat Example", "mrn": "4711"})
        yield case


@pytest.fixture
def refused(alice, case):
    add_unusable(alice, case, Image.Status.REFUSED, 1)
    image = Image.objects.get(case=case)
    Image.objects.filter(id=image.id).update(refusal=Refusal.DAMAGED)
    return Image.objects.select_related("case__lab").get(id=image.id)


def test_it_waits_for_nobody_and_the_reason_stays(alice, case, refused):
    assert [outstanding().count(), not_counted(case).count()] == [1, 1]
    page = reverse("ui:file-set-aside", args=[case.id, refused.id])
    assert (
        reverse("ui:file-set-aside", args=[case.id, refused.id])
        in alice.browser.get(reverse("ui:case", args=[case.id])).content.decode()
    )
    assert alice.browser.post(page, {"reason": " "}).status_code == 422
    assert alice.browser.post(page, {"reason": WHY}).url == reverse("ui:case", args=[case.id])
    assert [outstanding().count(), not_counted(case).count()] == [0, 0]
    progress = progress_of([case])[case.id]
    assert (progress.refused, progress.set_aside, progress.total) == (0, 1, 1)
    files = alice.browser.get(reverse("ui:case-files", args=[case.id]) + "?status=set_aside").content.decode()
    assert "Set aside by Alice." in files
    assert WHY in files
    assert alice.browser.post(page, {"reason": WHY}).status_code == 409
    entry = Entry.objects.get(chain=alice.lab.id, action="case.file_set_aside")
    assert present(entry.after) == {"image": refused.id}
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM cases_setaside")
        assert b"scanner" not in bytes(cursor.fetchone()[0])


def test_who_may_not_see_identifiers_reads_who_but_not_why(alice, case, refused):
    set_aside(refused, by=alice.membership.user, reason=WHY)
    noah = person(alice.lab, "Noah", Role.SUPERVISOR)
    files = noah.browser.get(reverse("ui:case-files", args=[case.id])).content.decode()
    assert "Set aside by Alice." in files
    assert WHY not in files


def test_the_database_lets_nobody_change_or_delete_it(alice, refused):
    set_aside(refused, by=alice.membership.user, reason=WHY)
    for statement in ("UPDATE cases_setaside SET at = now()", "DELETE FROM cases_setaside"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)


def test_what_was_not_refused_or_is_there_twice_is_not_set_aside(alice, case, refused):
    (counts,) = add_cells(alice, case, "neutrophil", 0.9)
    for image in (Image.objects.select_related("case").get(id=counts.id),):
        with pytest.raises(CannotBeSetAside):
            set_aside(image, by=alice.membership.user, reason=WHY)
    Image.objects.filter(id=refused.id).update(refusal=Refusal.DUPLICATE)
    with pytest.raises(CannotBeSetAside):
        set_aside(refused, by=alice.membership.user, reason=WHY)
    Image.objects.filter(id=refused.id).update(refusal="", status=Image.Status.FAILED)
    with pytest.raises(CannotBeSetAside):
        set_aside(refused, by=alice.membership.user, reason=WHY)


def test_another_file_can_be_given_still(alice, case, refused):
    set_aside(refused, by=alice.membership.user, reason=WHY)
    begin(case, [File("b.jpg", 4, b"\1" * 32, replaces=refused.id)])
    progress = progress_of([case])[case.id]
    assert (progress.set_aside, progress.replaced) == (0, 1)


def test_of_a_case_whose_review_is_over_nothing_waits_and_nothing_is_set_aside(alice):
    pat = person(alice.lab, "Pat", Role.PATHOLOGIST)
    with scope(lab=alice.lab):
        case = ready(pat)
        add_unusable(pat, case, Image.Status.REFUSED, 1)
        image = Image.objects.select_related("case").get(case=case, status=Image.Status.REFUSED)
        Image.objects.filter(id=image.id).update(refusal=Refusal.DAMAGED)
        assert outstanding().count() == 1
        signed(case, pat)
        assert not outstanding()  # nothing can be given for it
        with pytest.raises(ReviewOver):
            set_aside(image, by=pat.membership.user, reason=WHY)
        assert case.__class__.objects.get(id=case.id).review == Review.SIGNED


def test_when_the_patient_is_erased_nobody_reads_why(alice, case, refused):
    set_aside(refused, by=alice.membership.user, reason=WHY)
    case.refresh_from_db()
    erase(case.patient)
    files = alice.browser.get(reverse("ui:case-files", args=[case.id]))
    assert files.status_code == 200
    assert WHY not in files.content.decode()
    SetAside.objects.get()
    add_unusable(alice, case, Image.Status.REFUSED, 1)
    other = Image.objects.select_related("case").exclude(id=refused.id).get()
    with pytest.raises(PatientErased):
        set_aside(other, by=alice.membership.user, reason=WHY)


def test_the_api_sets_aside(alice, case, refused, charlie):
    address = f"/images/{refused.id}/set-aside/"
    assert charlie.api.send(address, {"reason": WHY}).status_code == 404
    assert alice.api.send(address, {"reason": ""}).status_code == 400
    assert alice.api.send(address, {"reason": WHY}).status_code == 204
    assert alice.api.send(address, {"reason": WHY}).json()["error"]["code"] == "cannot_be_set_aside"
    assert alice.api.read(f"/images/{refused.id}/").json()["set_aside_by"] == "Alice"
