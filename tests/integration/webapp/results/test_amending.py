"""What becomes of a result afterwards: a new version, or none at all, and always in the open."""

import threading

import pytest
from django.db import connection, transaction
from django_scopes import scope

from tests.support.people import person
from tests.support.present import present
from tests.support.results import it_is_them, now, ready, shown, signed
from tests.support.review import decide
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.cases import specimen_services
from webapp.cases.models import Review
from webapp.labs.models import Signatures
from webapp.labs.permissions import Role
from webapp.labs.services import change_role
from webapp.outbox.events import CONSUMERS, CaseAmended, CaseVoided, Consumer
from webapp.outbox.models import Delivery
from webapp.outbox.queues import Queue
from webapp.patients.services import erase
from webapp.results.amending import (
    AmendedAlready,
    ChangedSince,
    MayNotAmend,
    NoReason,
    NotAmended,
    NotSigned,
    VoidAlready,
    amend,
    void,
    withdraw,
)
from webapp.results.disclosure import result_shown
from webapp.results.models import Result, Step
from webapp.results.selectors import counting, reason_of
from webapp.results.signing import Moved, SignedAlready, sign
from webapp.review.models import CellState, Reading

pytestmark = pytest.mark.usefixtures("plain_static")
WHY = "Two cells were taken for others."


@pytest.fixture
def told(monkeypatch):
    for event in (CaseAmended, CaseVoided):
        name = f"tests.{event.__name__}"
        monkeypatch.setitem(CONSUMERS, name, Consumer(name, event, Queue.EVENTS, lambda event: None))
    return lambda event: Delivery.objects.filter(consumer=f"tests.{event.__name__}").count()


def first_reading():
    return Reading.objects.select_related("case__lab", "lab").get()


def a_cell():
    return present(CellState.objects.order_by("id").first()).cell_id


def states():
    return list(Result.objects.order_by("version").values_list("status", flat=True))


def test_an_amendment_makes_a_new_version_and_keeps_the_old_one(pat, read_case, told):
    signed(read_case, pat)
    before = Result.objects.get()
    amend(read_case, pat.membership, version=1, reason=WHY)
    assert (states(), now(read_case).review, told(CaseAmended)) == (["amending"], "in_review", 1)
    assert present(counting(read_case)).version == 1  # it stands until the next one does
    decide(first_reading(), [a_cell()], "monocyte", by=pat.membership.user)
    signed(read_case, pat)
    assert (states(), now(read_case).review) == (["amended", "final"], "amended")
    after = Result.objects.get(version=2)
    assert after.amends == before
    assert after.values["amends"] == {"version": 1, "sha256": before.digest, "reason": WHY}
    assert Result.objects.get(version=1).values == before.values
    assert reason_of(Result.objects.get(version=1)) == WHY


def test_an_amendment_is_withdrawn_while_nothing_is_otherwise(pat, read_case):
    signed(read_case, pat)
    amend(read_case, pat.membership, version=1, reason=WHY)
    cell = a_cell()
    decide(first_reading(), [cell], "monocyte", by=pat.membership.user)
    with pytest.raises(ChangedSince):
        withdraw(read_case, pat.membership, version=1)
    decide(first_reading(), [cell], "neutrophil", by=pat.membership.user)
    specimen_services.change_specimen(read_case, {"material": "marrow"})
    with pytest.raises(ChangedSince):
        withdraw(read_case, pat.membership, version=1)
    specimen_services.change_specimen(read_case, {"material": ""})
    withdraw(read_case, pat.membership, version=1)
    assert (states(), now(read_case).review) == (["final"], "signed")
    with pytest.raises(NotAmended):
        withdraw(read_case, pat.membership, version=1)


def test_what_awaits_its_second_signature_can_be_sent_back(pat, quinn, read_case):
    pat.lab.signatures = Signatures.TWO
    pat.lab.save()
    signed(read_case, pat)
    seen = shown(read_case)
    amend(read_case, quinn.membership, version=1, reason=WHY)
    with pytest.raises(Moved):
        sign(now(read_case), quinn.membership, seen, prove=it_is_them)
    withdraw(read_case, quinn.membership, version=1)
    assert (states(), now(read_case).review) == (["awaiting"], "reviewed")
    assert counting(read_case) is None
    signed(read_case, quinn)
    assert states() == ["final"]


def test_a_void_result_counts_for_nothing_and_stays_so(pat, read_case, told):
    signed(read_case, pat)
    amend(read_case, pat.membership, version=1, reason=WHY)
    signed(read_case, pat)
    void(read_case, pat.membership, version=2, reason="Another patient's tube.")
    assert (states(), now(read_case).review, told(CaseVoided)) == (["void", "void"], "void", 1)
    assert counting(read_case) is None
    for deed in (
        lambda: amend(read_case, pat.membership, version=2, reason=WHY),
        lambda: void(read_case, pat.membership, version=2, reason=WHY),
        lambda: withdraw(read_case, pat.membership, version=2),
    ):
        with pytest.raises(VoidAlready):
            deed()
    with pytest.raises(SignedAlready):
        shown(read_case)


def test_every_step_needs_a_signed_result_the_version_that_was_seen_and_a_reason(pat, read_case):
    with pytest.raises(NotSigned):
        amend(read_case, pat.membership, version=1, reason=WHY)
    signed(read_case, pat)
    with pytest.raises(NoReason):
        amend(read_case, pat.membership, version=1, reason="")
    with pytest.raises(AmendedAlready):
        amend(read_case, pat.membership, version=2, reason=WHY)
    amend(read_case, pat.membership, version=1, reason=WHY)
    with pytest.raises(AmendedAlready):
        amend(read_case, pat.membership, version=1, reason=WHY)
    assert Step.objects.count() == 1
    assert Entry.objects.filter(action=Action.RESULT_AMENDED).count() == 1


def test_a_reason_is_sealed_and_in_no_trail(pat, read_case):
    signed(read_case, pat)
    amend(read_case, pat.membership, version=1, reason=WHY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM results_step")
        assert WHY.encode() not in bytes(cursor.fetchone()[0])
    assert WHY not in str(list(Entry.objects.values_list("after", "subject")))


def test_who_was_demoted_a_second_ago_amends_nothing(pat, read_case):
    signed(read_case, pat)
    change_role(pat.membership, Role.TECHNICIAN)
    with pytest.raises(MayNotAmend):
        amend(read_case, pat.membership, version=1, reason=WHY)


def test_a_result_of_somebody_erased_keeps_its_hash_and_its_signatures(pat, read_case):
    signed(read_case, pat)
    erase(present(now(read_case).patient))
    seen = result_shown(now(read_case), None, viewer=pat.membership.user, identifiers=True)
    assert (seen.values, seen.since.erased, seen.findings) == (None, True, [])
    assert len(seen.result.digest) == 64


def test_who_read_the_case_before_it_was_amended_signs_nothing(lab, pat, read_case):
    quinn = person(lab, "Quinn", Role.PATHOLOGIST)
    lab.signatures = Signatures.TWO
    lab.save()
    signed(read_case, pat)
    before, seen = now(read_case), shown(read_case)
    amend(now(read_case), pat.membership, version=1, reason=WHY)
    with pytest.raises(Moved):
        sign(before, quinn.membership, seen, prove=it_is_them)


@pytest.mark.django_db(transaction=True)
def test_of_amending_and_signing_at_once_one_wins(lab):
    """The second signature, and the amendment of what awaits it: whichever is second is told so."""
    pat, quinn = person(lab, "Pat", Role.PATHOLOGIST), person(lab, "Quinn", Role.PATHOLOGIST)
    lab.signatures = Signatures.TWO
    lab.save()
    with scope(lab=lab):
        case = ready(pat)
        signed(case, pat)
        seen, together, outcomes = shown(case), threading.Barrier(2), []

        def do(name, deed):
            with scope(lab=lab):
                together.wait()
                try:
                    deed()
                    outcomes.append(name)
                except (AmendedAlready, Moved) as error:
                    outcomes.append(type(error).__name__)
            connection.close()

        threads = [
            threading.Thread(
                target=do,
                args=("signed", lambda: sign(now(case), quinn.membership, seen, prove=it_is_them)),
            ),
            threading.Thread(
                target=do,
                args=("amended", lambda: amend(case, pat.membership, version=1, reason=WHY)),
            ),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        # Amending what was signed a moment before is no conflict: it is the same version.
        assert sorted(outcomes) in (["amended", "signed"], ["Moved", "amended"])
        with transaction.atomic():
            assert now(case).review == Review.IN_REVIEW
