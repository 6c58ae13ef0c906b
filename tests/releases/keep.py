"""Keeps a small backup of this release, which the next one must be able to restore.

`python -m tests.releases.keep` (`make keep-release`). It starts the product in a folder of its own, has drawn
cells classified by the tiny model of the tests, and writes `before/`: the backup, and what must be there
again once it is restored. Nothing of it is anybody's: names, keys and passwords are made here, for this.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.client.client import Client
from infra.demo.cells import draw
from infra.local.stack import Stack
from tests.support.stack import beside, free_settings
from tests.support.tiny_model import make_version

BEFORE = Path(__file__).with_name("before")
EXPECTED = "expected.json"
PASSPHRASE = "correct horse battery staple"
WAIT_S = 60
# Higher than those that the product brings, which it publishes only where they are newer: they are large.
TINY_VERSION = 1_000_000

LAB = "Northern lab"
ROLES = ("technician", "pathologist", "admin")
PATIENT = {
    "name": "Ada Lovelace-Ĉapek",
    "mrn": "MRN 00-42",
    "birth_date": "1915-12-10",
    "sex": "female",
    "notes": "Known; see A-1 of last year.",
}
SPECIMEN = {
    "material": "blood",
    "anticoagulant": "edta",
    "ordering_unit": "Ward 3",
    "comment": "Two tubes.",
}
CASES: dict[str, tuple[str, ...]] = {
    "A-1": ("neutrophil", "monocyte", "lymphocyte", "eosinophil"),
    "A-2": ("basophil", "platelet"),
}
WORDS = "vacuoles, and a nucleus like a kidney"


def keep() -> None:
    with tempfile.TemporaryDirectory(prefix="hematovision-keep-") as scratch:
        stack = Stack(free_settings(Path(scratch) / "var"))
        try:
            _start(stack, Path(scratch))
            expected = _fill(stack, Path(scratch) / "pictures")
            draft = Path(scratch) / "before"
            _back_up(stack, draft)
        finally:
            stack.stop()
        (draft / EXPECTED).write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
        shutil.rmtree(BEFORE, ignore_errors=True)
        shutil.copytree(draft, BEFORE)


def _start(stack: Stack, scratch: Path) -> None:
    """Start the product with the tiny model alone."""
    stack.start_services()
    owner = {**os.environ, **stack.owner_environment}
    tiny = make_version(scratch / "made", TINY_VERSION)
    for command in (["migrate", "--verbosity=0"], ["prepare_storage"], ["publish_model", str(tiny)]):
        subprocess.run([sys.executable, "-m", "webapp", *command], env=owner, check=True)
    stack.start_product()


def _back_up(stack: Stack, to: Path) -> None:
    stack.manage("anchor_audit")
    subprocess.run(
        [Path(sys.executable).with_name("hematovision"), "backup", to],
        env=beside({"HEMATOVISION_HOME": str(stack.settings.home)}, HEMATOVISION_PASSPHRASE=PASSPHRASE),
        check=True,
    )
    (to / ".lock").unlink()


def _fill(stack: Stack, pictures: Path) -> dict[str, Any]:
    """Use the product as people do; returns what must be there again."""
    members = [f"--member={role}@northern.example:{role}" for role in ROLES]
    made = json.loads(stack.manage("create_lab", LAB, "--json", *members))
    people = {member["role"]: member for member in made["members"]}
    cases: dict[str, str] = {}
    with Client(stack.settings.url, people["technician"]["token"]) as client:
        for accession, labels in CASES.items():  # of one person, by the MRN
            patient = PATIENT if not cases else {"mrn": PATIENT["mrn"]}
            client.connection.call("POST", "cases/", json={"accession": accession, "patient": patient})
            case = client.open_case(accession)
            client.upload(case, _draw(pictures / accession, labels))
            client.wait(case.id)
            cases[accession] = case.id
    os.environ.update(stack.owner_environment)
    from webapp.config.environment import set_up

    set_up()
    from django_scopes import scope

    from webapp.labs.models import Lab

    with scope(lab=Lab.objects.get()):
        told = _work(cases)
    who = {role: {name: member[name] for name in ("email", "password")} for role, member in people.items()}
    return {"passphrase": PASSPHRASE, "lab": LAB, "people": who, **told}


def _draw(folder: Path, labels: tuple[str, ...]) -> list[Path]:
    """A small picture for each class, the last a TIFF, of which browsers are shown a copy."""
    folder.mkdir(parents=True)
    paths = []
    for number, label in enumerate(labels):
        path = folder / f"{label}{'.tif' if number == len(labels) - 1 else '.jpg'}"
        options = {"compression": "jpeg"} if path.suffix == ".tif" else {}
        draw(label, number).resize((120, 120)).save(path, quality=80, **options)
        paths.append(path)
    return paths


def _work(cases: dict[str, str]) -> dict[str, Any]:
    """What pages and programs do, by the services behind them; in the scope of the lab."""
    from tests.support.review import decide
    from webapp.accounts.models import User
    from webapp.cases.models import Case, Cell, Image
    from webapp.cases.specimen_services import add_scanner, add_slide, change_specimen
    from webapp.jobs.kinds import KINDS
    from webapp.jobs.models import Job
    from webapp.jobs.services import start
    from webapp.labs.invitations import invite
    from webapp.labs.models import Membership
    from webapp.labs.permissions import Role
    from webapp.notifications.models import Notification
    from webapp.review import selectors
    from webapp.review.models import Decision, Reading
    from webapp.review.services import open_reading

    first = Case.objects.get(id=next(iter(cases.values())))
    pathologist = User.objects.get(email__startswith="pathologist@")
    admin = Membership.objects.get(role=Role.ADMIN)
    change_specimen(first, SPECIMEN)
    scanner = add_scanner(admin.lab, make="Drawn", model="One", micrometres_per_pixel="0.1")
    slide = add_slide(first, label="S-1", stain="may_gruenwald_giemsa", scanner=scanner)
    Image.objects.filter(case=first).update(slide=slide)
    invite(admin.lab, email="new@northern.example", role=Role.CLINICIAN, by=admin.user, link=str)
    job = start(admin, KINDS["audit_csv"], {})
    _await("the job", Job.objects.filter(id=job.id, state=Job.State.DONE).exists)
    _await("notifications", lambda: Notification.objects.count() >= len(cases))

    first.refresh_from_db()
    cells = list(Cell.objects.filter(image__case=first).order_by("id").values_list("id", flat=True))
    reading = open_reading(first, Reading.Kind.FIRST, reader=pathologist)
    decide(reading, cells[:2], "basophil", by=pathologist)
    decide(reading, cells[1:2], "monocyte", by=pathologist, words=WORDS)
    told = []
    for case in Case.objects.order_by("accession"):
        shown = selectors.shown_reading(case, pathologist)
        told.append(
            {
                "id": str(case.id),
                "accession": case.accession,
                "processing": case.processing,
                "review": case.review,
                "images": Image.objects.filter(case=case).count(),
                "cells": {
                    str(row.cell_id): {"shown": row.shown_class, "decided": row.decided_class}
                    for row in selectors.cells(case, shown)
                },
                "words": [row.words for row in Decision.objects.filter(reading=shown).order_by("number")],
            }
        )
    return {
        "cases": told,
        "patient": PATIENT,
        "specimen": SPECIMEN,
        "slide": "S-1",
        "scanner": str(scanner),
        "notifications": Notification.objects.count(),
    }


def _await(what: str, there: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not there():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not there after {WAIT_S} s")
        time.sleep(0.1)


if __name__ == "__main__":
    keep()
