"""Everything is destroyed, and comes back from a backup: a real installation, by the commands people use."""

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest
from django.core.management import CommandError, call_command

from infra.client.client import Client
from infra.local.config.environment import environment, owner
from infra.local.config.secrets import Secrets, data_keys_file
from infra.local.programs.postgres import BINARIES
from tests.integration.stack.test_stack import HEMATOVISION, Up, environ_of, start
from tests.support.pictures import many_pictures
from tests.support.stack import beside, free_settings

pytestmark = pytest.mark.timeout(600)  # an installation is started three times

PASSPHRASE = "correct horse battery staple"
PATIENT = {"name": "Ada Lovelace", "mrn": "MRN 00-42", "birth_date": "1915-12-10", "notes": "Known."}
IMAGES = 6


@dataclass
class Kept:
    """What must be there again."""

    member: dict[str, str]
    case: str
    answer: dict[str, object]
    picture: bytes
    readings: dict[str, object]
    results: dict[str, object]


def hematovision(up: Up, *arguments: str, passphrase: str = PASSPHRASE) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HEMATOVISION, *arguments],
        env={**environ_of(up.settings), "HEMATOVISION_PASSPHRASE": passphrase},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def api(up: Up, member: dict[str, str]) -> httpx.Client:
    token = {"Authorization": f"Bearer {member['token']}"}
    return httpx.Client(
        base_url=f"{up.settings.url}/api/v1", headers=token, timeout=30, follow_redirects=True
    )


def decide(client: httpx.Client, case: str) -> None:
    """Decide of two cells, and take one back."""
    reading = f"/readings/{client.post(f'/cases/{case}/readings/', json={'kind': 'first'}).json()['id']}"
    sections = client.get(f"{reading}/cells/").json()["sections"]
    cells = [row[0] for section in sections for row in section["cells"]][:2]
    for place, cell in enumerate(cells):
        said = {"cell": cell, "class": "other", "words": "Like Ada Lovelace's"}
        gesture = {"gesture": str(UUID(int=place)), "client": str(UUID(int=9)), "base_revision": place}
        client.post(f"{reading}/decisions/", json={**gesture, "decisions": [said]}).raise_for_status()
    back = {"gesture": str(UUID(int=2)), "client": str(UUID(int=9)), "base_revision": 2}
    client.post(f"{reading}/decisions/", json={**back, "undo": str(UUID(int=1))}).raise_for_status()


def decide_the_rest(client: httpx.Client, case: str) -> None:
    """Confirm what was suggested of the others, so that the case can be signed."""
    (reading,) = client.get(f"/cases/{case}/readings/").json()
    cells = client.get(f"/readings/{reading['id']}/cells/").json()
    open_ones = [section for section in cells["sections"] if section["class"] != "other"]
    ids = [row[0] for section in open_ones for row in section["cells"]]
    said = [{"cell": cell, "class": "neutrophil"} for cell in ids]
    gesture = {"gesture": str(UUID(int=3)), "client": str(UUID(int=9)), "base_revision": reading["revision"]}
    client.post(
        f"/readings/{reading['id']}/decisions/", json={**gesture, "decisions": said}
    ).raise_for_status()


def readings_of(client: httpx.Client, case: str) -> dict[str, object]:
    """The readings of a case with what was decided, and in whose words."""
    found: dict[str, object] = {}
    for reading in client.get(f"/cases/{case}/readings/").json():
        page = f"/readings/{reading['id']}/cells/"
        cells = client.get(page).json()
        rows = [row for section in cells["sections"] for row in section["cells"]]
        said = [client.get(f"{page}{row[0]}/").json() for row in rows]
        found[page] = [reading, cells, said]
    return found


SIGN = """
from django.utils import timezone
from django_scopes import scope, scopes_disabled
from webapp.accounts.methods import Method
from webapp.cases.models import Case
from webapp.labs.models import Membership
from webapp.results import calls
from webapp.results.models import CriticalCall, Result
from webapp.results.signing import Shown, prepare, sign
from webapp.review.models import Reading
from webapp.review.remark_services import make_remark
with scopes_disabled():
    pat = Membership.objects.select_related("user", "lab").get(user__email="pat@n.example")
with scope(lab=pat.lab):
    case = Case.objects.select_related("lab").get(accession="A-1")
    reading = Reading.objects.select_related("case__lab", "lab").get(case=case)
    make_remark(reading, subject="general", term="words", words="As Ada Lovelace wrote.", by=pat.user)
    made = prepare(case, "Few cells.")
    shown = Shown(made.reading.revision, made.draft.digest, made.meaning, "Few cells.")
    result = sign(case, pat, shown, prove=lambda: Method.PASSWORD).result
    call = CriticalCall.objects.create(lab=pat.lab, case=case, result=result, since=result.made_at)
    calls.log(call, by=pat.user, outcome="told", at=timezone.now(), whom="Dr Quillfeather", contact="Ward 3")
"""
"""By a pathologist, with a remark, and with a call about it."""


def results_of(client: httpx.Client, case: str) -> dict[str, object]:
    """The case's signed result, and what was written down of calls about it."""
    pages = (f"/cases/{case}/results/1/", f"/cases/{case}/calls/")
    return {page: client.get(page).raise_for_status().json() for page in pages}


def picture_of(client: httpx.Client, case: str) -> bytes:
    image = client.get(f"/cases/{case}/images/").json()["results"][0]["id"]
    return client.get(f"/images/{image}/picture/").raise_for_status().content


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    running = start(free_settings(tmp_path_factory.mktemp("home") / "var"))
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(90)


@pytest.fixture(scope="module")
def kept(up, tmp_path_factory) -> Kept:
    people = ("--member=ann@n.example:technician", "--member=pat@n.example:pathologist")
    made = hematovision(up, "manage", "create_lab", "Northern", "--json", *people)
    member, _pathologist = json.loads(made.stdout)["members"]
    with api(up, member) as client:
        case = client.post("/cases/", json={"accession": "A-1", "patient": PATIENT}).json()["id"]
        with Client(up.settings.url, member["token"]) as uploader:
            uploader.upload(uploader.case(case), many_pictures(tmp_path_factory.mktemp("cells"), IMAGES))
            uploader.wait(case)
        decide(client, case)
        decide_the_rest(client, case)
        signed = hematovision(up, "manage", "shell", "--no-imports", "--command", SIGN)
        assert signed.returncode == 0, signed.stdout
        return Kept(
            member,
            case,
            client.get(f"/cases/{case}/").json(),
            picture_of(client, case),
            readings_of(client, case),
            results_of(client, case),
        )


@pytest.fixture(scope="module")
def folder(up: Up, kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Backups of the running installation: two, the second with one more case."""
    folder = tmp_path_factory.mktemp("backups") / "here"
    assert hematovision(up, "manage", "anchor_audit").returncode == 0
    first = hematovision(up, "backup", str(folder))
    assert first.returncode == 0, first.stdout
    with api(up, kept.member) as client:
        client.post("/cases/", json={"accession": "A-2"})
    second = hematovision(up, "backup", str(folder))
    assert second.returncode == 0, second.stdout
    assert " 2 cases" in second.stdout
    assert "0 of them new" in second.stdout
    assert "0 of them new" not in first.stdout
    return folder


def test_the_folder_holds_no_key_in_the_clear(up, folder):
    keys = {line.partition(":")[2] for line in data_keys_file(up.home).read_text().split()}
    secrets = set(re.findall(r'"([0-9a-f]{64})"', (up.home / "secrets.json").read_text()))
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not any(secret.encode() in content for secret in keys | secrets | {"Ada Lovelace"}), path


@pytest.fixture
def told_where(up) -> dict[str, str]:
    """Variables with which commands work as in containers: told of services, with pg_dump in the PATH."""
    settings = up.settings
    secrets = Secrets.load(settings.home)
    given = {**environment(settings, secrets), **owner(settings, secrets)}
    del given["HEMATOVISION_HOME"]
    path = f"{BINARIES}{os.pathsep}{os.environ['PATH']}"
    return beside(given, PATH=path, HEMATOVISION_PASSPHRASE=PASSPHRASE)


def told(env: dict[str, str], *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HEMATOVISION, *map(str, arguments)],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_it_moves_to_other_services(told_where, up, folder, tmp_path):
    """To another database, bucket and folder of models, as into a cluster."""
    urls = {name: told_where[f"HEMATOVISION_{name}"] for name in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    with psycopg.connect(urls["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute("CREATE DATABASE elsewhere")
    there = {
        **told_where,
        **{
            f"HEMATOVISION_{name}": f"{url.removesuffix('/hematovision')}/elsewhere"
            for name, url in urls.items()
        },
        "HEMATOVISION_S3_BUCKET": "elsewhere",
        "HEMATOVISION_MODELS": str(tmp_path / "models"),
    }
    restored = told(there, "restore", folder)
    assert restored.returncode == 0, restored.stderr
    rejected = told(there, "restore", folder)
    assert "The database is not empty" in rejected.stderr
    away = told({**there, "HEMATOVISION_S3_ENDPOINT": "http://127.0.0.1:1"}, "restore", folder, "--force")
    assert "127.0.0.1:1" in away.stderr
    assert "2 cases" in told(there, "backup", tmp_path / "still there", "--without-keys").stdout
    again = told(there, "restore", folder, "--force")
    assert again.returncode == 0, again.stderr

    moved = told(there, "backup", tmp_path / "moved", "--without-keys")
    assert moved.returncode == 0, moved.stderr
    assert "2 cases" in moved.stdout
    assert "The keys are not in it" in moved.stdout
    (manifest,) = (tmp_path / "moved").glob("snapshots/*/manifest.json")
    latest = max(folder.glob("snapshots/*/manifest.json"))
    assert json.loads(manifest.read_text())["models"] == json.loads(latest.read_text())["models"]
    assert told(there, "restore", tmp_path / "moved", "--force").returncode == 0
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "moved").iterdir()} == {0}
    assert "there are none in it" in told(there, "restore", manifest.parent, "--keys-to", tmp_path).stderr


def test_services_that_are_away_are_named_in_a_line(told_where, folder, tmp_path):
    nowhere = "postgresql://x:x@127.0.0.1:1/x"
    away = {**told_where, "HEMATOVISION_DATABASE_URL": nowhere, "HEMATOVISION_DATABASE_OWNER_URL": nowhere}
    for command in (("restore", folder), ("backup", tmp_path / "b")):
        said = told(away, *command)
        assert said.returncode == 2
        assert "connection failed" in said.stderr
        assert "Traceback" not in said.stderr


def listed(folder: Path) -> dict[str, str]:
    """SHA-256 of each object in the latest snapshot, by key."""
    lines = (max(folder.glob("snapshots/*Z")) / "objects.jsonl").read_text().splitlines()
    return {stored["key"]: stored["sha256"] for stored in map(json.loads, lines)}


def test_the_small_pictures_of_cells_are_kept(kept, folder):
    packs = [key for key in listed(folder) if f"/cases/{kept.case}/tiles/" in key]
    assert len(packs) >= 1
    assert len(listed(folder)) > len(packs)


def test_a_list_that_somebody_changed_exchanges_no_picture(told_where, folder, tmp_path):
    """Its pictures would be taken for ours, and the next backup vouch for them."""

    def change(snapshot: Path) -> None:
        lines = (snapshot / "objects.jsonl").read_text().splitlines()
        objects = [json.loads(line) for line in lines]
        for stored in objects:
            stored["sha256"] = objects[0]["sha256"]
        (snapshot / "objects.jsonl").write_text("".join(json.dumps(stored) + "\n" for stored in objects))

    forged = tampered_with(folder, tmp_path / "forged", change)
    said = told(told_where, "backup", forged, "--without-keys")
    assert said.returncode == 0, said.stderr
    assert "Everything is copied anew" in said.stdout
    assert listed(forged) == listed(folder)


def test_two_backups_at_once_do_not_remove_each_others(told_where, folder):
    with (folder / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        rejected = told(told_where, "backup", folder, "--without-keys")
    assert rejected.returncode == 2
    assert "under way" in rejected.stderr


def test_a_link_in_the_folder_is_not_written_through(told_where, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    for link in ("contents", "snapshots"):
        target = tmp_path / f"backup-{link}"
        target.mkdir()
        (target / link).symlink_to(there)
        rejected = told(told_where, "backup", target, "--without-keys")
        assert rejected.returncode == 2
        assert "is a link" in rejected.stderr
    assert list(there.iterdir()) == []


def test_its_keys_can_be_taken_out(told_where, up, folder, tmp_path):
    (tmp_path / "keys").mkdir()
    assert told(told_where, "restore", folder, "--keys-to", tmp_path / "keys" / "new").returncode == 0
    assert (tmp_path / "keys" / "new" / "data_keys").read_text() == data_keys_file(up.home).read_text()


def test_a_timer_that_gives_no_passphrase_is_told(told_where, folder, tmp_path):
    forgotten = {**told_where, "HEMATOVISION_PASSPHRASE": ""}
    for command in (("backup", tmp_path), ("restore", folder, "--keys-to", tmp_path / "keys")):
        rejected = told(forgotten, *command)
        assert rejected.returncode == 2
        assert "Set HEMATOVISION_PASSPHRASE" in rejected.stderr


def test_a_database_that_is_in_use_is_not_written_over(told_where, up, folder):
    rejected = told(told_where, "restore", folder, "--force")
    assert rejected.returncode == 2
    assert "is connected to this database from 127.0.0.1." in rejected.stderr


def test_a_running_installation_is_not_written_over(up, folder):
    rejected = hematovision(up, "restore", str(folder), "--force")
    assert rejected.returncode == 2
    assert "is running" in rejected.stdout


def test_what_is_there_is_refused(up, folder):
    assert hematovision(up, "down").returncode == 0
    assert up.process.wait(10) == 0
    rejected = hematovision(up, "restore", str(folder))
    assert rejected.returncode == 2
    assert "holds an installation" in rejected.stdout


def test_another_passphrase_changes_nothing(up, folder):
    rejected = hematovision(up, "restore", str(folder), "--force", passphrase="another passphrase")
    assert rejected.returncode == 2
    assert "does not open" in rejected.stdout
    assert (up.home / "postgres").is_dir()


def test_a_damaged_backup_changes_nothing(up, folder, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    victim = max(damaged.glob("contents/*/*"), key=lambda path: path.stat().st_size)
    with victim.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\1\2\3")
    rejected = hematovision(up, "restore", str(damaged), "--force")
    assert rejected.returncode == 2
    assert victim.name in rejected.stdout.replace("\n", "")
    assert (up.home / "postgres").is_dir()
    assert [path.name for path in up.home.parent.iterdir() if path.name.startswith("var")] == ["var"]


def tampered_with(folder: Path, to: Path, change: Callable[[Path], None]) -> Path:
    """A copy of the backup in which somebody who may write there changed the latest snapshot."""
    shutil.copytree(folder, to)
    change(max(to.glob("snapshots/*Z")))
    return to


def of_the_release_before(snapshot: Path, **more: object) -> None:
    """What a snapshot of a release without MACs looks like; who makes one up writes the same."""
    (snapshot / "manifest.mac").unlink()
    manifest = json.loads((snapshot / "manifest.json").read_text())
    del manifest["name"]
    (snapshot / "manifest.json").write_text(json.dumps({**manifest, "format": 1, **more}))


def another_dump(snapshot: Path) -> None:
    with (snapshot / "database.dump").open("ab") as dump:
        dump.write(b"\0")
    manifest = json.loads((snapshot / "manifest.json").read_text())
    manifest["files"]["database.dump"] = sha256((snapshot / "database.dump").read_bytes()).hexdigest()
    (snapshot / "manifest.json").write_text(json.dumps(manifest))


def two_in_one(snapshot: Path) -> None:
    earlier = min(snapshot.parent.glob("*Z"))
    (snapshot / "objects.jsonl").write_bytes((earlier / "objects.jsonl").read_bytes()[:-10])


def under_another_name(snapshot: Path) -> None:
    min(snapshot.parent.glob("*Z")).rename(snapshot.with_name("29990101T000000Z"))


def linked(snapshot: Path) -> None:
    dump = snapshot / "database.dump"
    dump.rename(snapshot.parent.parent / "elsewhere")
    dump.symlink_to(snapshot.parent.parent / "elsewhere")


def a_pipe(snapshot: Path) -> None:
    (snapshot / "objects.jsonl").unlink()
    os.mkfifo(snapshot / "objects.jsonl")


def endless(snapshot: Path) -> None:
    with (snapshot / "manifest.json").open("ab") as manifest:
        manifest.truncate(1 << 30)


@pytest.fixture
def verify(settings, up) -> Callable[..., str]:
    """What a restore does first, in this process, with the installation's keys: why it rejects a folder."""
    settings.DATA_KEYS_FILE = data_keys_file(up.home)

    def rejected(folder: Path, **options: bool) -> str:
        latest = max(folder.glob("snapshots/*Z"))
        with pytest.raises(CommandError) as failure:
            call_command("restore_backup", str(latest), only_verify=True, **options)
        return str(failure.value)

    return rejected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (another_dump, "MAC does not fit"),
        (two_in_one, "objects.jsonl is not what was written"),
        (under_another_name, "made under another name"),
        (linked, "database.dump cannot be read"),
        (a_pipe, "objects.jsonl is no plain file"),
        (endless, "longer than any"),
        (of_the_release_before, "--unauthenticated"),
    ],
)
def test_what_somebody_else_wrote_is_refused(verify, folder, tmp_path, change, said):
    assert said in verify(tampered_with(folder, tmp_path / "forged", change))


def test_it_is_refused_before_anything_is_touched(up, folder, tmp_path):
    forged = tampered_with(folder, tmp_path / "forged", another_dump)
    rejected = hematovision(up, "restore", str(forged), "--force")
    assert rejected.returncode == 2
    assert "MAC does not fit" in rejected.stdout.replace("\n", " "), rejected.stdout
    assert "Traceback" not in rejected.stdout
    assert [path.name for path in up.home.parent.iterdir() if path.name.startswith("var")] == ["var"]
    assert (up.home / "postgres").is_dir()


@pytest.mark.parametrize(
    "more",
    [
        {"models": {"../../escaped": "0" * 64}},
        {"models": {"/escaped": "0" * 64}},
        {"models": {"a": "../../../etc/passwd"}},
        {"files": {"../database.dump": "0" * 64}},
    ],
)
def test_names_are_not_believed_even_when_nobody_need_vouch_for_them(verify, up, folder, tmp_path, more):
    def change(snapshot: Path) -> None:
        of_the_release_before(snapshot, **more)

    forged = tampered_with(folder, tmp_path / "forged", change)
    assert "Nothing is restored." in verify(forged, unauthenticated=True)
    assert not list(up.home.parent.rglob("escaped"))


def test_another_installations_backup_is_not_believed(up, folder, tmp_path):
    """Not even where its maker leaves the keys out, as one may."""
    keys = data_keys_file(tmp_path / "here" / "var")
    keys.parent.mkdir(parents=True)
    keys.write_text("2026-01-01-aaaaaa:" + "A" * 43 + "=\n")
    forged = tampered_with(folder, tmp_path / "forged", lambda snapshot: (snapshot / "secrets.json").unlink())
    env = environ_of(replace(up.settings, home=keys.parent))
    rejected = subprocess.run([HEMATOVISION, "restore", forged], env=env, capture_output=True, text=True)
    assert rejected.returncode == 2
    assert "not a snapshot of this installation" in rejected.stderr.replace("\n", " ")
    assert [path.name for path in keys.parent.parent.iterdir()] == ["var"]
    assert [path.name for path in keys.parent.iterdir()] == [keys.name]


def test_destroyed_and_restored_everything_works(up, kept, folder, tmp_path):
    shutil.rmtree(up.home)
    old = tampered_with(folder, tmp_path / "old", of_the_release_before)
    restored = hematovision(up, "restore", str(old), "--unauthenticated")
    assert restored.returncode == 0, restored.stdout
    restored = hematovision(up, "restore", str(folder), "--force")
    assert restored.returncode == 0, restored.stdout
    assert "2 cases" in restored.stdout
    up.process = start(up.settings).process
    with Client(up.settings.url) as client:
        assert client.sign_in(kept.member["email"], kept.member["password"])
    with api(up, kept.member) as client:
        answer = client.get(f"/cases/{kept.case}/").json()
        assert answer == kept.answer
        assert readings_of(client, kept.case) == kept.readings
        assert "Like Ada Lovelace" in str(kept.readings)
        assert results_of(client, kept.case) == kept.results
        for said in ("As Ada Lovelace wrote.", "Few cells.", "Dr Quillfeather", "'signatures': [{"):
            assert said in str(kept.results)
        assert answer["patient"]["name"] == "Ada Lovelace"
        assert answer["progress"]["classified"] == IMAGES
        found = client.post("/cases/search/", json={"mrn": "mrn0042"}).json()
        assert [case["accession"] for case in found] == ["A-1"]
        assert picture_of(client, kept.case) == kept.picture
        assert client.get("/cases/", params={"accession": "A-2"}).json()["results"]
    for verify in (("audit", "verify"), ("manage", "verify_results")):
        verified = hematovision(up, *verify)
        assert verified.returncode == 0, verified.stdout


def test_new_images_are_classified_afterwards(up, kept, tmp_path):
    with Client(up.settings.url, kept.member["token"]) as client:
        case = client.open_case("A-3")
        client.upload(case, many_pictures(tmp_path, 2))
        assert client.wait(case.id).progress["classified"] == 2
