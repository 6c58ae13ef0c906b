"""Somebody with all rights on the database changes what was signed: it is found, and named."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.support.results import now, shown, signed
from tests.support.review import decide
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.cases.services import change_identifiers
from webapp.crypto.rotation import rotate
from webapp.labs.models import Signatures
from webapp.results.amending import amend, void
from webapp.results.document import digest_of
from webapp.results.models import Result, Signature
from webapp.results.signing import Incomplete, sign
from webapp.results.verification import Verified, verify, verify_all
from webapp.review.models import CellState, Reading
from workers.tasks import verify_results

pytestmark = pytest.mark.usefixtures("plain_static")


def tamper(statement: str, **values: str | bytes | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in ("results_result", "results_signature", "results_step"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        cursor.execute(statement, values)
        assert cursor.rowcount
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("results_result", "results_signature", "results_step"):
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")


@pytest.fixture
def altered(pat, read_case):
    """A signed case; what is found wrong with it after a statement."""
    signed(read_case, pat)

    def found(*statements, **values):
        for statement in statements:
            tamper(statement, **values)
        return [finding.problem for finding in verify(now(read_case))]

    return found


def test_what_was_signed_is_whole(altered):
    assert altered() == []
    progress = Verified()
    assert list(verify_all(progress)) == []
    assert progress.results == 1
    assert Entry.objects.filter(action=Action.RESULTS_VERIFIED).exists()


def test_another_document_is_found(altered, read_case):
    result = Result.objects.select_related("case__patient__key").get()
    field = Result._meta.get_field("document")
    text = result.document.replace('"count":3', '"count":4')
    assert text != result.document
    sealed = bytes(field.seal(text, result))
    assert altered("UPDATE results_result SET document = %(sealed)s", sealed=sealed) == [
        "version 1: its document is not the one whose SHA-256 was signed"
    ]


def test_another_document_with_its_hash_is_found(altered):
    """Whoever has the keys as well changes document, hash and signature: the trail knows better."""
    result = Result.objects.select_related("case__patient__key").get()
    text = result.document.replace('"count":3', '"count":4')
    sealed = bytes(Result._meta.get_field("document").seal(text, result))
    found = altered(
        "UPDATE results_result SET document = %(sealed)s, sha256 = %(sha256)s",
        "UPDATE results_signature SET sha256 = %(sha256)s",
        sealed=sealed,
        sha256=digest_of(text),
    )
    assert found == ["version 1: the signature of Pat was changed"]


def test_what_cannot_be_decrypted_is_found(altered):
    assert altered("UPDATE results_result SET document = '\\x0102'") == [
        "version 1: its document cannot be decrypted"
    ]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE results_signature SET printed_name = 'Quinn'",
            "version 1: the signature of Quinn was changed",
        ),
        (
            "UPDATE results_signature SET at = at - interval '1 day'",
            "version 1: the signature of Pat was changed",
        ),
        ("UPDATE results_signature SET method = 'pin'", "version 1: the signature of Pat was changed"),
        ("DELETE FROM results_signature", "version 1: the signature of Pat is missing"),
        (
            "UPDATE results_result SET revision = 99",
            "version 1: its row says something else than its document",
        ),
        (
            "UPDATE results_result SET status = 'void'",
            "version 1 says that it is “Void”, and was not made so",
        ),
        (
            "UPDATE cases_case SET review = 'in_review'",
            "the case says that it is “In review”, and was not made so",
        ),
    ],
)
def test_a_row_that_was_changed_is_found(altered, statement, problem):
    assert problem in altered(statement)


def test_a_result_that_is_gone_is_found(altered):
    assert altered("DELETE FROM results_signature", "DELETE FROM results_result") == [
        "version 1 is missing",
        "the case says that it is signed, and has no result",
    ]


def test_a_signature_that_nobody_gave_is_found(pat, quinn, read_case):
    pat.lab.signatures = Signatures.TWO
    pat.lab.save()
    signed(read_case, pat)
    tamper(
        "INSERT INTO results_signature (id, lab_id, result_id, by_id, printed_name, role, meaning, at, zone,"
        " method, sha256) SELECT gen_random_uuid(), lab_id, result_id, %(by)s, 'Quinn', role, 'authorised',"
        " at, zone, method, sha256 FROM results_signature",
        by=quinn.membership.user_id,
    )
    problems = [finding.problem for finding in verify(now(read_case))]
    assert "version 1: the audit trail knows nothing of the signature of Quinn" in problems


def test_steps_that_were_changed_or_taken_away_are_found(pat, read_case):
    signed(read_case, pat)
    amend(read_case, pat.membership, version=1, reason="x")
    tamper("UPDATE results_step SET kind = 'withdraw'")
    problems = [finding.problem for finding in verify(now(read_case))]
    assert any("the audit trail does not say" in one for one in problems)
    tamper("DELETE FROM results_step")
    assert "version 1: “amended” is missing" in [finding.problem for finding in verify(now(read_case))]


def test_decisions_added_behind_a_signature_are_found(pat, altered, read_case):
    cell = CellState.objects.values_list("cell", flat=True)[0]
    tamper("UPDATE cases_case SET review = 'in_review'")
    decide(
        Reading.objects.select_related("case__lab", "lab").get(), [cell], "monocyte", by=pat.membership.user
    )
    assert "cells were decided otherwise after it was signed" in altered(
        "UPDATE cases_case SET review = 'signed'"
    )


def test_a_finding_is_named_on_the_page_and_in_the_api(pat, altered, read_case):
    tamper("UPDATE results_signature SET printed_name = 'Quinn'")
    page = pat.browser.get(reverse("ui:last-result", args=[read_case.id])).content.decode()
    assert "This result was altered. Do not use it." in page
    assert "the signature of Quinn was changed" in page
    answer = pat.api.read(f"/cases/{read_case.id}/result/").json()
    assert answer["altered"] == ["version 1: the signature of Quinn was changed"]
    assert Entry.objects.filter(action=Action.RESULT_ALTERED, subject="A-1").exists()


def test_findings_are_recorded_and_told(altered):
    tamper("UPDATE results_signature SET printed_name = 'Quinn'")
    (finding,) = verify_all(Verified())
    assert (finding.accession, finding.problem) == ("A-1", "version 1: the signature of Quinn was changed")
    assert Entry.objects.get(action=Action.RESULTS_ALTERED).after == {"results": 1, "findings": 1}


def test_rotated_keys_voids_and_corrected_patients_are_no_findings(pat, read_case):
    signed(read_case, pat)
    change_identifiers(read_case, {"name": "Pat Sample"})
    list(rotate())
    assert verify(now(read_case)) == []
    void(read_case, pat.membership, version=1, reason="x")
    assert verify(now(read_case)) == []


def test_the_command_names_what_was_altered_and_fails(altered, capsys):
    call_command("verify_results")
    assert "1 signed result is whole." in capsys.readouterr().out
    tamper("UPDATE results_signature SET printed_name = 'Quinn'")
    with pytest.raises(CommandError, match="1 finding"):
        call_command("verify_results")
    assert "(A-1)" in capsys.readouterr().out


def test_every_night_it_is_told_in_log_and_metrics(altered):
    def counted():
        return REGISTRY.get_sample_value("hematovision_results_altered_total")

    before = counted()
    verify_results()
    assert counted() == before
    tamper("UPDATE results_signature SET printed_name = 'Quinn'")
    with capture_logs() as logged:
        verify_results()
    assert counted() == before + 1
    assert [one["problem"] for one in logged if one["event"] == "a signed result was altered"] == [
        "version 1: the signature of Quinn was changed"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"count":4', "version 1: its document is not the one whose SHA-256 was signed"),
        ("", "version 1: its document cannot be decrypted"),
    ],
)
def test_nobody_authorises_what_was_altered(pat, quinn, read_case, text, problem):
    pat.lab.signatures = Signatures.TWO
    pat.lab.save()
    signed(read_case, pat)
    was = shown(read_case)
    result = Result.objects.select_related("case__patient__key").get()
    other = result.document.replace('"count":3', text)
    sealed = bytes(Result._meta.get_field("document").seal(other, result)) if text else b"\x01\x02"
    tamper("UPDATE results_result SET document = %(sealed)s", sealed=sealed)
    page = quinn.browser.get(reverse("ui:sign", args=[read_case.id]))
    assert page.status_code == 200
    assert problem in page.content.decode()
    assert 'name="method"' not in page.content.decode()
    with pytest.raises(Incomplete, match=problem):
        sign(now(read_case), quinn.membership, was, prove=lambda: pytest.fail("nobody is asked"))
    assert Signature.objects.count() == 1
