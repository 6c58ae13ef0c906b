"""Rotating the data keys: while others read and write, through kills, and past what was tampered with."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings
from django_scopes import scope, scopes_disabled

from tests.integration.webapp.cases.test_identifiers import ADA, on_disk, write
from tests.support.people import person
from webapp.audit.models import Entry
from webapp.cases import selectors
from webapp.cases.models import Case
from webapp.cases.services import change_identifiers
from webapp.crypto import cipher, rotation
from webapp.labs.models import Lab
from webapp.labs.permissions import Role
from webapp.patients.identifiers import FIELDS
from webapp.patients.models import Patient, PatientKey

OLD, NEW = (
    f"{day}-aaaaaa:{base64.b64encode(bytes([byte]) * 32).decode()}"
    for day, byte in (("2025-01-31", 1), ("2026-01-31", 2))
)
OLD_ID, NEW_ID = OLD[:17], NEW[:17]


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.DATA_KEYS, settings.DATA_KEYS_FILE = OLD, None


def patients(someone, count: int) -> list[Case]:
    with scope(lab=someone.lab):
        cases = Case.objects.bulk_create(
            Case(lab=someone.lab, accession=f"A-{number}", created_by=someone.membership.user)
            for number in range(count)
        )
        known = {name: value for name, value in ADA.items() if name != "notes"}
        made = [Patient(lab=someone.lab, **{**known, "mrn": f"M{number}"}) for number in range(count)]
        keys = [PatientKey.of(patient) for patient in made]
        Patient.objects.bulk_create(made)
        PatientKey.objects.bulk_create(keys)
        for case, patient in zip(cases, made, strict=True):
            case.patient = patient
        Case.objects.bulk_update(cases, ["patient"])
    return cases


def rotate() -> str:
    said = StringIO()
    call_command("rotate_keys", stdout=said)
    return said.getvalue()


def test_everything_is_sealed_and_hashed_anew(alice, charlie, settings):
    ours, theirs = patients(alice, 5), patients(charlie, 3)
    settings.DATA_KEYS = f"{NEW},{OLD}"
    assert rotation.rows_by_key() == {NEW_ID: 0, OLD_ID: 8}
    said = rotate()
    assert rotation.rows_by_key() == {NEW_ID: 8, OLD_ID: 0}
    assert f"Key {OLD_ID} seals nothing any more" in said
    settings.DATA_KEYS = NEW  # the old one is gone
    for someone, cases in ((alice, ours), (charlie, theirs)):
        with scope(lab=someone.lab):
            assert {known.name for known in selectors.identifiers_of(cases).values()} == {"Ada Lovelace"}
            assert list(selectors.cases_of_patient(someone.lab.id, "M2")) == [cases[2]]
    assert Entry.objects.filter(action="keys.rotated").count() == 1


def test_during_rotation_patients_are_found_under_either_key(alice, settings):
    first, second = patients(alice, 2)
    settings.DATA_KEYS = f"{NEW},{OLD}"
    with scope(lab=alice.lab):
        change_identifiers(first, {"mrn": "M7"})
        assert list(selectors.cases_of_patient(alice.lab.id, "M7")) == [first]
        assert list(selectors.cases_of_patient(alice.lab.id, "M1")) == [second]
    assert rotation.stale_rows() == 2  # the first one's own key is still under the old one
    rotate()
    assert rotation.stale_rows() == 0


def test_what_was_sealed_before_padding_is_padded_under_the_same_key(alice, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(cipher, "FORMAT", cipher.UNPADDED)
        before.setattr(cipher, "_padded", str.encode)
        first, _ = patients(alice, 2)
    (new,) = patients(person(Lab.objects.create(name="Eastern lab"), "Eve", Role.TECHNICIAN), 1)
    assert len({len(on_disk(first)[name]) for name in FIELDS}) > 1
    assert len(on_disk(first)["key"]) < len(on_disk(new)["key"])
    assert rotation.rows_by_key() == {OLD_ID: 3}
    assert rotation.stale_rows() == 4  # two patients and their keys
    rotate()
    assert rotation.stale_rows() == 0
    assert rotation.rows_by_key() == {OLD_ID: 3}
    row = on_disk(first)
    assert {len(row[name]) for name in FIELDS} == {len(on_disk(new)["sex"])}
    assert len(row["key"]) == len(on_disk(new)["key"])
    with scope(lab=alice.lab):
        assert selectors.identifiers_of([first])[first.id].sex == "female"


def test_what_was_tampered_with_is_named_and_stops_nothing(alice, settings):
    spoiled, empty, other = patients(alice, 3)
    write(spoiled, "key", on_disk(other)["key"])
    write(empty, "key", b"")
    settings.DATA_KEYS = f"{NEW},{OLD}"
    with pytest.raises(CommandError) as failed:
        rotate()
    assert str(spoiled.patient_id) in str(failed.value)
    assert str(empty.patient_id) in str(failed.value)
    assert rotation.stale_rows() == 2
    with scope(lab=alice.lab):
        assert selectors.identifiers_of([other])[other.id].name == "Ada Lovelace"


def test_keys_are_listed_with_what_they_seal(alice, settings):
    patients(alice, 2)
    settings.DATA_KEYS = NEW  # the key that they are under is missing
    said = StringIO()
    call_command("list_keys", stdout=said)
    first, missing = json.loads(said.getvalue())
    assert first | {"days": 0} == {"id": NEW_ID, "current": True, "days": 0, "rows": 0}
    assert missing == {"id": OLD_ID, "current": False, "days": None, "rows": 2}


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_is_writing_is_waited_for_and_not_lost(alice, settings):
    held, _ = patients(alice, 2)
    settings.DATA_KEYS = f"{NEW},{OLD}"
    holding, rotated = threading.Event(), threading.Event()

    def hold() -> None:
        with scope(lab=alice.lab), transaction.atomic():
            change_identifiers(held, {"mrn": "M7"})
            holding.set()
            rotated.wait(20)
        connection.close()

    writer = threading.Thread(target=hold)
    writer.start()
    assert holding.wait(20)
    steps = rotation.rotate()
    assert next(steps).rows == 1  # the other one: nobody waits for the first
    rotated.set()
    writer.join()
    assert sum(step.rows for step in steps) == 1
    with scope(lab=alice.lab):
        assert selectors.identifiers_of([held])[held.id].mrn == "M7"
        assert list(selectors.cases_of_patient(alice.lab.id, "M7")) == [held]
    assert rotation.stale_rows() == 0


def test_what_lies_under_a_patients_own_key_is_not_written_again(alice, settings):
    (case,) = patients(alice, 1)
    with scope(lab=alice.lab):
        change_identifiers(case, {"notes": "Pale."})
    before = on_disk(case)
    settings.DATA_KEYS = f"{NEW},{OLD}"
    rotate()
    after = on_disk(case)
    assert {name for name in before if before[name] != after[name]} == {"key", "mrn_hash"}
    settings.DATA_KEYS = NEW
    with scope(lab=alice.lab):
        assert selectors.identifiers_of([case])[case.id].notes == "Pale."


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_point_it_goes_on_where_it_was_and_readers_never_notice(alice):
    cases = patients(alice, 2000)
    target = connection.settings_dict
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**target)
    env = {
        **{name: value for name, value in os.environ.items() if name != "HEMATOVISION_DATA_KEYS_FILE"},
        "HEMATOVISION_DATABASE_URL": url,
        "HEMATOVISION_DATA_KEYS": f"{NEW},{OLD}",
    }
    command = [sys.executable, "-m", "webapp", "rotate_keys"]
    left = [len(cases)]
    for _ in range(2):
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        while "rows/s" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left.append(rotation_left(cases))
    assert left == sorted(left, reverse=True)
    assert left[-1] < left[0]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert f"Key {OLD_ID} seals nothing any more" in done.stdout
    assert rotation_left(cases) == 0


def rotation_left(cases: list[Case]) -> int:
    """How many rows are under the old key; each must be legible to a reader who has both."""
    with override_settings(DATA_KEYS=f"{NEW},{OLD}"), scopes_disabled():
        known = selectors.identifiers_of(cases)
        assert not any(identifiers.unreadable for identifiers in known.values())
        assert [known[case.id].mrn for case in cases] == [f"M{number}" for number in range(len(cases))]
        return rotation.rows_by_key()[OLD_ID]
