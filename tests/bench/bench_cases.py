"""The list of 10,000 cases, and what it costs to keep labs apart and patients encrypted; rotating keys.

`python -m tests.bench.bench_cases`. In one process, against PostgreSQL and Valkey; the network is left out.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.local.config.environment import owner
from infra.local.config.secrets import Secrets, add_data_key
from infra.local.stack import Stack
from tests.support.stack import free_settings

CASES = 10_000
IMAGES = 3  # of each case
FEW = 100
ASKED = 200  # times each
PATIENT = {
    "name": "Lovelace, Ada Augusta",
    "birth_date": date(1915, 12, 10),
    "sex": "female",
    "notes": "Fever for five days, petechiae. Please compare with the smear of last week. " * 3,
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hematovision-bench-") as folder:
        home = Path(folder) / "var"
        stack = Stack(free_settings(home))
        stack.start_services()
        try:
            os.environ.update(stack.environment, HEMATOVISION_API_RATE="1000000/s")
            os.environ.update(owner(stack.settings, Secrets.load(home)))  # who makes the tables
            from django.core.management import call_command

            from webapp.config.environment import set_up

            set_up()
            call_command("migrate", verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
            Console().print(_measure(stack, home))
        finally:
            stack.stop()


def _measure(stack: Stack, home: Path) -> Table:
    from django.test import Client

    from webapp.accounts.models import User
    from webapp.patients.models import PatientKey

    members = ["--member=t@example.org:technician", "--member=a@example.org:admin"]
    technician, admin = json.loads(stack.manage("create_lab", "Bench", "--json", *members))["members"]
    _fill(technician["email"], range(FEW))
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(User.objects.get(email=technician["email"]))
    few = _queries(browser)
    seconds = _fill(technician["email"], range(FEW, CASES))
    assert _queries(browser) == few, "the number of queries grows with the cases"
    table = Table(
        "", "p50 ms", "p95 ms", title=f"{CASES} cases, 50 a page; {few} queries, as for {FEW} cases"
    )
    for name, ask in _with_and_without_scope().items():
        table.add_row(name, *_times(ask))
    for who, shown in ((technician, "with patients"), (admin, "without")):
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(User.objects.get(email=who["email"]))
        api = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {who['token']}"})
        for path, client in (("/worklist/", browser), ("/api/v1/cases/", api)):

            def ask(client: Client = client, path: str = path) -> None:
                assert client.get(path).status_code == 200

            table.add_row(f"{path} {shown}", *_times(ask))
    api = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {technician['token']}"})

    def search() -> None:
        found = api.post("/api/v1/cases/search/", {"mrn": "M-5000"}, content_type="application/json")
        assert len(found.json()) == 1

    table.add_row("search by MRN", *_times(search))
    add_data_key(home)
    began = time.perf_counter()
    rows = sum(_rotated())
    rate = rows / (time.perf_counter() - began)
    assert rows == PatientKey._base_manager.count() == CASES
    table.caption = f"sealing: {(CASES - FEW) / seconds:.0f} rows/s; rotating: {rate:.0f} rows/s"
    return table


def _queries(browser: Any) -> int:
    """How many queries the page takes, once what is noted at a first visit is noted."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser.get("/worklist/")
    with CaptureQueriesContext(connection) as queries:
        browser.get("/worklist/")
    return len(queries)


def _with_and_without_scope() -> dict[str, Callable[[], None]]:
    """The queries of the list as they are, and the same with the lab written into each by hand."""
    from django.db.models import Count
    from django_scopes import scope, scopes_disabled

    from webapp.cases.models import Case, Image
    from webapp.cases.selectors import progress_of
    from webapp.labs.models import Lab, Membership
    from webapp.worklist.filters import Wanted
    from webapp.worklist.selectors import page

    lab = Lab.objects.get()
    with scope(lab=lab):
        member = Membership.objects.select_related("lab", "user").first()
    assert member

    def scoped() -> None:
        with scope(lab=lab):
            progress_of(page(member, Wanted(sort="newest"), 51))

    def by_hand() -> None:
        with scopes_disabled():
            found = Case.objects.filter(lab=lab).select_related("created_by").order_by("-created_at", "-id")
            cases = list(found[:51])
            rows = Image.objects.filter(lab=lab, case_id__in=[case.id for case in cases])
            list(rows.values_list("case_id", "status").annotate(n=Count("id")).order_by())

    return {"its queries, scoped": scoped, "its queries, the lab by hand": by_hand}


def _fill(email: str, numbers: range) -> float:
    """Make the cases with images and patients; returns the seconds that the patients took."""
    from django_scopes import scope

    from webapp.accounts.models import User
    from webapp.cases.models import Case, Image
    from webapp.labs.models import Lab
    from webapp.patients.models import Patient, PatientKey

    lab, user = Lab.objects.get(), User.objects.get(email=email)
    with scope(lab=lab):
        cases = Case.objects.bulk_create(
            Case(lab=lab, accession=f"A-{number}", created_by=user, processing="done") for number in numbers
        )
        Image.objects.bulk_create(
            (
                Image(
                    lab=lab, case=case, name="a.jpg", key=f"{case.id}-{place}", bytes=1, status="classified"
                )
                for case in cases
                for place in range(IMAGES)
            ),
            batch_size=2000,
        )
        began = time.perf_counter()
        patients = [Patient(lab=lab, mrn=f"M-{number}", **PATIENT) for number in numbers]
        keys = [PatientKey.of(patient) for patient in patients]
        Patient.objects.bulk_create(patients, batch_size=500)
        PatientKey.objects.bulk_create(keys, batch_size=500)
        for case, patient in zip(cases, patients, strict=True):
            case.patient = patient
        Case.objects.bulk_update(cases, ["patient"], batch_size=500)
    return time.perf_counter() - began


def _rotated() -> Iterator[int]:
    from webapp.crypto.rotation import rotate

    return (step.rows for step in rotate())


def _times(ask: Callable[[], None]) -> tuple[str, str]:
    ask()
    spent = []
    for _ in range(ASKED):
        began = time.perf_counter()
        ask()
        spent.append(1000 * (time.perf_counter() - began))
    return f"{statistics.median(spent):.1f}", f"{statistics.quantiles(spent, n=20)[-1]:.1f}"


if __name__ == "__main__":
    main()
