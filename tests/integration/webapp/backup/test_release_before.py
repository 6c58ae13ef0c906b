"""A backup of the release before comes back into this one, and that release works on this one's database.

The backup is kept in `tests/releases/before`; `make keep-release` keeps the next.
"""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, override_settings
from django.urls import reverse
from django_scopes import scope
from PIL import Image as Pillow
from psycopg import sql

from infra.local.programs.postgres import BINARIES
from tests.releases.keep import BEFORE, EXPECTED, WORDS
from tests.support import plugin
from tests.support.people import proved_who_they_are
from tests.support.review import decide
from tests.support.schema import Schema, breaks
from tests.support.settings import read_settings
from webapp.accounts.models import User
from webapp.backup import database
from webapp.backup.snapshots import DUMP, Snapshot
from webapp.cases.models import Case, Cell, Image
from webapp.cases.processing import unsettled
from webapp.cases.selectors import identifiers_of, slides, specimen_of
from webapp.jobs.models import Job
from webapp.labs.models import Lab, Membership
from webapp.notifications.models import Notification
from webapp.review import selectors
from webapp.review.models import Decision, Reading
from webapp.storage import locked, objects

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("plain_static")]

# Tables, and columns as `table.column`, that the release kept in `tests/releases/before` does not use any
# more, though its database has them: a migration may drop them. Emptied whenever the next release is kept.
LET_GO: frozenset[str] = frozenset()
# Functions of triggers that are new, and take every row; what they do works for the release before, too.
REJECTING_NOTHING = frozenset(
    {
        "review_note_last",  # keeps the last decision of each cell
        "worklist_case_due",  # both keep when a case is due
        "worklist_specimen_due",
    }
)


@dataclass(frozen=True)
class Restored:
    """The backup in services of its own, and what must be in it."""

    database: str
    settings: dict[str, Any]
    expected: dict[str, Any]
    before: Schema
    """The tables as the release before made them."""
    now: Schema
    """The same, migrated."""


@contextmanager
def working_on(name: str) -> Iterator[None]:
    """Have Django's connection lead to another database."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


@contextmanager
def empty_database(name: str) -> Iterator[None]:
    with closing(_connect("postgres")) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield
        server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _connect(name: str) -> "psycopg.Connection[tuple[object, ...]]":
    given = connection.get_connection_params()
    keys = ("host", "port", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey")
    return psycopg.connect(**{key: given[key] for key in keys if key in given}, dbname=name, autocommit=True)


def _schema(name: str) -> Schema:
    with closing(_connect(name)) as server:
        return Schema.of(server)


@pytest.fixture(scope="module")
def restored(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Restored]:
    expected = json.loads((BEFORE / EXPECTED).read_text())
    home = tmp_path_factory.mktemp("restored")
    hematovision = Path(sys.executable).with_name("hematovision")
    command = [hematovision, "restore", BEFORE, "--keys-to", home / "keys", "--passphrase"]
    subprocess.run([*command, expected["passphrase"]], check=True, capture_output=True)
    (snapshot,) = map(Snapshot, BEFORE.glob("snapshots/*Z"))
    settings = {
        "DATA_KEYS_FILE": home / "keys" / "data_keys",
        "MODELS": home / "models",
        "S3_BUCKET": f"kept-{plugin.WORKER or 'alone'}",
        "S3_LOCKED_BUCKET": f"kept-{plugin.WORKER or 'alone'}-locked",
        "PASSWORD_HASHERS": read_settings()["PASSWORD_HASHERS"],  # those that hashed
    }
    name, bare = (f"kept_{plugin.WORKER or 'alone'}{end}" for end in ("", "_before"))
    with django_db_blocker.unblock(), override_settings(**settings):
        with empty_database(bare), working_on(bare), (snapshot.path / DUMP).open("rb") as archive:
            database.restore(archive, snapshot.manifest().files[DUMP], BINARIES)
            before = _schema(bare)
            connection.close()
        with empty_database(name):
            with working_on(name):
                call_command("restore_backup", str(snapshot.path), postgres=BINARIES)
            yield Restored(name, settings, expected, before, _schema(name))


@pytest.fixture
def there(restored: Restored, django_db_blocker) -> Iterator[dict[str, Any]]:
    """What is expected, while Django works on what was restored; what a test writes there is taken back."""
    with (
        django_db_blocker.unblock(),
        override_settings(**restored.settings),
        working_on(restored.database),
        transaction.atomic(),
    ):
        with scope(lab=Lab.objects.get(name=restored.expected["lab"])):
            yield restored.expected
        transaction.set_rollback(True)


def browser(expected: dict[str, Any], role: str = "technician") -> Client:
    member = Membership.objects.get(role=role)
    client = Client(headers={"X-Lab": str(member.lab_id)})
    client.force_login(member.user)
    proved_who_they_are(client, member.user)
    return client


def test_who_the_patient_is_can_be_read(there):
    found = identifiers_of(Case.objects.all())
    assert len(found) == len(there["cases"])
    for case in there["cases"]:
        shown = found[Case.objects.get(id=case["id"]).id]
        notes = there["patient"]["notes"] if case["accession"] == "A-1" else ""
        assert shown.unreadable == ()
        told = {**there["patient"], "notes": notes}
        assert {name: str(getattr(shown, name)) for name in told} == told
    assert len({shown.patient for shown in found.values()}) == 1


def test_specimen_slide_and_scanner_are_there(there):
    case = Case.objects.get(accession="A-1")
    facts = specimen_of(case, texts=True)
    assert {name: getattr(facts, name) for name in there["specimen"]} == there["specimen"]
    (slide,) = slides(case)
    assert (slide.label, str(slide.scanner)) == (there["slide"], there["scanner"])
    assert {image.slide for image in Image.objects.filter(case=case)} == {slide}


def test_every_cell_is_of_the_class_it_was(there):
    reader = User.objects.get(email=there["people"]["pathologist"]["email"])
    for told in there["cases"]:
        case = Case.objects.get(id=told["id"])
        assert (case.processing, case.review) == (told["processing"], told["review"])
        reading = selectors.shown_reading(case, reader)
        assert {
            str(row.cell_id): {"shown": row.shown_class, "decided": row.decided_class}
            for row in selectors.cells(case, reading)
        } == told["cells"]
        said = [row.words for row in Decision.objects.filter(reading=reading).order_by("number")]
        assert said == told["words"]
    assert WORDS in there["cases"][0]["words"]
    assert not list(unsettled())


def test_the_reading_goes_on(there):
    reading = Reading.objects.get()
    cells = list(Cell.objects.filter(image__case=reading.case).values_list("id", flat=True))
    by = User.objects.get(email=there["people"]["pathologist"]["email"])
    revision = reading.revision
    assert decide(reading, cells, "monocyte", by=by, words="again") == revision + len(cells)
    assert Decision.objects.get(number=revision + 1).words == "again"


def test_the_audit_trail_is_whole(there):
    call_command("verify_audit")
    assert list(locked.keys(""))


def test_people_sign_in_with_their_passwords(there):
    for member in there["people"].values():
        user = User.objects.get(email=member["email"])
        assert user.check_password(member["password"])


def test_the_page_of_the_case_opens_with_its_cells(there):
    case = Case.objects.get(accession="A-1")
    client = browser(there)
    page = client.get(reverse("ui:case", args=[case.id]))
    assert page.status_code == 200
    text = page.content.decode()
    assert there["patient"]["name"] in text
    assert text.count('class="tile"') == len(there["cases"][0]["cells"])
    cells = list(Cell.objects.filter(image__case=case).order_by("id").values_list("id", flat=True))
    mosaic = client.get(reverse("ui:mosaic", args=[case.id, cells]))
    assert mosaic.status_code == 200
    drawn = Pillow.open(io.BytesIO(mosaic.content)).convert("RGB")
    paper = drawn.crop((0, 0, 224, 224)).getextrema()
    assert paper != ((255, 255), (255, 255), (255, 255))  # not white: the tile was found


def test_images_are_served_as_they_were_sent(there):
    for image in Image.objects.all():
        body, version = objects.get(image.key, version=image.object_version)
        assert hashlib.sha256(body).digest() == bytes(image.sha256 or b"")
        assert version == image.object_version
        link = browser(there).get(reverse("api:picture", args=[image.id]))
        assert link.status_code == 302
        shown = httpx.get(link["Location"])
        assert shown.status_code == 200
        Pillow.open(io.BytesIO(shown.content)).verify()


def test_jobs_and_notifications_are_there(there):
    assert Notification.objects.count() == there["notifications"]
    job = Job.objects.get()
    assert job.state == Job.State.DONE
    for key in job.part_keys:
        assert b"Northern" in objects.get(key)[0]


# --- the rule of two releases ---------------------------------------------------------------------


def test_the_release_before_works_on_the_migrated_database(restored):
    """New pods start one after another; until the last has, the old ones go on."""
    assert breaks(restored.before, restored.now, LET_GO, REJECTING_NOTHING) == []


def test_what_was_let_go_was_there(restored):
    tables = restored.before.tables
    columns = {f"{table}.{column}" for table, columns in tables.items() for column in columns}
    assert tables.keys() | columns >= LET_GO


@pytest.mark.django_db
def test_a_migrated_installation_has_the_tables_of_a_new_one(restored):
    """A migration that a release had is never changed afterwards: it is not run again."""
    connection.ensure_connection()
    fresh = Schema.of(connection.connection)
    assert restored.now.tables == fresh.tables
    assert restored.now.rules == fresh.rules


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("ALTER TABLE cases_slide DROP COLUMN stain", "cases_slide.stain is gone"),
        ("ALTER TABLE cases_slide RENAME stain TO colour", "cases_slide.stain is gone"),
        ("ALTER TABLE cases_slide RENAME TO cases_smear", "cases_slide is gone"),
        ("DROP TABLE notifications_preference", "notifications_preference is gone"),
        ("ALTER TABLE notifications_preference ADD n int NOT NULL", "notifications_preference.n is new"),
        ("ALTER TABLE cases_slide ALTER scanner_id SET NOT NULL", "cases_slide.scanner_id may not be empty"),
        ("ALTER TABLE cases_slide ALTER label TYPE varchar(10)", "cases_slide.label was character varying("),
        ("ALTER TABLE cases_case ALTER review DROP DEFAULT", "cases_case.review has no default"),
        ("ALTER TABLE cases_slide ADD CHECK (stain <> '')", "cases_slide asks more of its rows: CHECK"),
        ("CREATE UNIQUE INDEX ON cases_slide (label)", "cases_slide asks more of its rows: UNIQUE"),
        ("ALTER TABLE cases_slide ADD COLUMN n int DEFAULT 1, ADD UNIQUE (n, case_id)",
         "cases_slide asks more of its rows: UNIQUE"),
        ("ALTER TABLE cases_slide ALTER id DROP IDENTITY", "cases_slide.id has no default"),
    ],
)  # fmt: skip
def test_what_would_break_it_is_found(there, restored, statement, broken):
    with connection.cursor() as cursor:
        cursor.execute(statement)
    found = breaks(restored.before, Schema.of(connection.connection), LET_GO, REJECTING_NOTHING)
    assert [line for line in found if line.startswith(broken)] != []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE cases_slide ADD COLUMN thick boolean",
        "ALTER TABLE cases_slide ADD COLUMN thick boolean NOT NULL DEFAULT false",
        "ALTER TABLE cases_slide ALTER label TYPE varchar(100)",
        "ALTER TABLE cases_slide ALTER label TYPE text",
        "ALTER TABLE cases_slide ALTER label DROP NOT NULL",
        "CREATE TABLE cases_smear (id bigint PRIMARY KEY, n int NOT NULL UNIQUE)",
        "CREATE INDEX ON cases_slide (stain)",
        "ALTER TABLE cases_slide ADD COLUMN n int UNIQUE CHECK (n > 0)",
        "ALTER TABLE cases_slide ADD COLUMN n bigint REFERENCES cases_scanner",
    ],
)
def test_what_it_survives_is_let_through(there, restored, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert breaks(restored.before, Schema.of(connection.connection), LET_GO, REJECTING_NOTHING) == []
