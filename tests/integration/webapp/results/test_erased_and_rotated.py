"""What is left of a result, its remarks and its calls once the patient is erased, or keys were rotated."""

import base64
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql

from tests.integration.webapp.results.test_calls import heard, ranges
from tests.support.pages import add_unusable
from tests.support.present import present
from tests.support.results import now, ready, signed
from webapp.cases.models import Image
from webapp.cases.refusals import Refusal
from webapp.cases.services import change_identifiers
from webapp.cases.setting_aside import set_aside
from webapp.cases.specimen_services import change_specimen
from webapp.results import calls
from webapp.results.amending import amend
from webapp.results.models import CallEntry, CriticalCall, Result
from webapp.results.verification import verify
from webapp.review.models import Reading, Remark
from webapp.review.remark_services import make_remark

__all__ = ["ranges"]
pytestmark = pytest.mark.usefixtures("plain_static", "ranges")
# Eight digits are no part of a digest by chance; four are, now and then.
PLANTED = ("Zephyrine", "77012345", "1931-04-17", "17 Apr 1931", "Quillfeather", "splenectomy", "Hobbs")


def of_zephyrine(pat):
    """Signed, critical, remarked on, called about, amended, with a file that was set aside: with their name
    everywhere that somebody can write."""
    case = ready(pat)
    change_identifiers(case, {"name": "Zephyrine", "mrn": "77012345", "birth_date": date(1931, 4, 17)})
    change_specimen(case, {"clinical_question": "After splenectomy?", "requester": "Dr Quillfeather"})
    reading = Reading.objects.select_related("case__lab", "lab").get()
    make_remark(reading, subject="general", term="words", words="As Hobbs said.", by=pat.membership.user)
    add_unusable(pat, case, Image.Status.REFUSED, 1)
    Image.objects.filter(status=Image.Status.REFUSED).update(refusal=Refusal.DAMAGED)
    image = Image.objects.select_related("case").get(status=Image.Status.REFUSED)
    set_aside(image, by=pat.membership.user, reason="Zephyrine's letter.")
    signature = signed(now(case), pat, "Zephyrine has no more cells.")
    call = present(calls.note_signed(now(case), signature.result_id))
    calls.log(
        call,
        by=pat.membership.user,
        outcome=CallEntry.Outcome.TOLD,
        at=timezone.now(),
        whom="Dr Quillfeather",
        contact="Hobbs",
    )
    amend(now(case), pat.membership, version=1, reason="Zephyrine's sister's cells.")
    return now(case)


@pytest.fixture
def case(pat):
    return of_zephyrine(pat)


def addresses(case):
    page, api = f"/cases/{case.id}/", f"/api/v1/cases/{case.id}/"
    yield from ("/worklist/?review=any", "/critical/", "/critical/?state=ended")
    for name in (
        "",
        "files/",
        "checks/",
        "calls/",
        "history/",
        "result/",
        "results/1/",
        "specimen/",
        "sign/",
    ):
        yield page + name
    for name in ("", "calls/", "history/", "result/", "results/", "results/1/", "specimen/", "patient/"):
        yield api + name
    yield from ("/api/v1/critical-calls/", "/api/v1/outstanding-files/")
    yield f"/api/v1/readings/{Reading.objects.get().id}/remarks/"


def test_it_is_there_before(pat, case):
    """So that what is not found afterwards was found."""
    found = "".join(pat.browser.get(one).content.decode() for one in addresses(case))
    assert [word for word in PLANTED if word not in found] == []


def test_erased_nothing_of_them_is_read_and_counts_hashes_and_calls_stay(pat, case):
    before = Result.objects.get().digest
    said = StringIO()
    call_command("erase_patient", f"--patient={present(case.patient).id}", stdout=said)
    for one in addresses(case):
        answer = pat.browser.get(one)
        assert answer.status_code in (200, 404), (one, answer.status_code)
        text = answer.content.decode()
        assert not [word for word in PLANTED if word in text], one
        assert "cannot be decrypted" not in text, one
    result = Result.objects.select_related("case__patient__key").get()
    assert (result.digest, result.signatures.count()) == (before, 1)
    assert verify(now(case)) == []
    # Nobody can be told any more; what was written down of the call stays.
    heard()
    call = CriticalCall.objects.get()
    assert (call.ending, call.entries.count()) == ("erased", 1)
    assert "Patient erased" in pat.browser.get("/critical/?state=ended").content.decode()
    assert Remark.objects.count() == 1
    assert pat.api.read(f"/cases/{case.id}/").json()["reviewed_differential"]["wbc_count"] == 3
    # What the database, and so each backup made from now on, holds.
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table)))
            held = "\n".join(row for (row,) in cursor.fetchall())
            assert not [word for word in (*PLANTED, b"Zephyrine".hex()) if word in held], table


def test_after_a_rotation_all_of_it_is_read_without_the_old_key(pat, settings, ranges):
    old, new = (
        f"{day}-aaaaaa:{base64.b64encode(bytes([byte]) * 32).decode()}"
        for day, byte in (("2025-01-31", 1), ("2026-01-31", 2))
    )
    settings.DATA_KEYS, settings.DATA_KEYS_FILE = old, None
    case = of_zephyrine(pat)
    settings.DATA_KEYS = f"{new},{old}"
    call_command("rotate_keys", stdout=StringIO())
    settings.DATA_KEYS = new
    found = "".join(pat.browser.get(one).content.decode() for one in addresses(case))
    assert [word for word in PLANTED if word not in found] == []
    assert "cannot be decrypted" not in found
    assert verify(now(case)) == []
