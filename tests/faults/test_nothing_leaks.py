"""What identifies a patient, and what opens a door, stands in no log, error page, task, broker or outbox.

Values that occur nowhere else are sent through the whole running product, by its ways of success and of
failure; then all that it wrote meanwhile is searched for them.
"""

import base64
import re
from dataclasses import asdict

import httpx
import psycopg
import pytest
import redis
from psycopg import sql

from infra.client.client import Client
from infra.local.config.secrets import Secrets, data_keys_file
from infra.local.programs.product import FLOWER_USER
from tests.integration.stack.test_stack import eventually
from tests.support.pictures import many_pictures
from tests.support.present import present
from tests.support.stack import RunningStack

PATIENT = {
    "name": "Plantedname Zyxwvut",
    "mrn": "MRN-7391-PLANTED",
    "birth_date": "1931-07-23",
    "notes": "Planted note about a relapse",
}
PASSWORD = "planted-password-5521"
TOKEN = "hv_planted-token-of-nobody-8834"
PLANTED = {*PATIENT.values(), "7391planted", "mrn7391planted", "Zyxwvut", PASSWORD, TOKEN, TOKEN[3:]}


@pytest.fixture(scope="module")
def member(stack: RunningStack) -> dict[str, str]:
    return stack.new_lab()["technician"]


@pytest.fixture(scope="module")
def browser(stack, member):
    """A signed-in browser without a screen."""
    with httpx.Client(base_url=stack.url, follow_redirects=True, timeout=30) as browser:
        sign_in(browser, member["email"], PASSWORD)
        sign_in(browser, PASSWORD, member["password"])  # people do
        assert member["email"] in sign_in(browser, member["email"], member["password"])
        yield browser


def sign_in(browser: httpx.Client, email: str, password: str) -> str:
    return post(browser, "/accounts/login/", {"login": email, "password": password}).text


def post(
    browser: httpx.Client, path: str, fields: dict[str, str], *, at: str = "/worklist/"
) -> httpx.Response:
    hidden = dict(re.findall(r'name="(csrfmiddlewaretoken|in_lab)" value="([\w-]+)"', browser.get(at).text))
    assert hidden
    return browser.post(path, data={**fields, **hidden})


@pytest.fixture(scope="module")
def api(stack, member):
    token = {"Authorization": f"Bearer {member['token']}"}
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers=token, timeout=30) as api:
        yield api


@pytest.fixture(scope="module")
def error_pages(stack, member, api, browser, tmp_path_factory) -> list[httpx.Response]:
    """Everything goes its way, well and badly; what came of the bad ways."""
    made = api.post("/cases/", json={"accession": "LEAK-1", "patient": PATIENT})
    assert made.status_code == 201, made.text
    case = made.json()["id"]
    assert api.patch(f"/cases/{case}/patient/", json=PATIENT).status_code == 200
    assert len(api.post("/cases/search/", json={"mrn": PATIENT["mrn"]}).json()) == 1
    assert PATIENT["name"] in post(browser, "/cases/of-patient/", {"mrn": PATIENT["mrn"]}).text
    assert PATIENT["name"] in post(browser, "/cases/new/", {"accession": "LEAK-2", **PATIENT}).text

    errors = [
        api.post("/cases/", json={"accession": "LEAK-1", "patient": PATIENT}),  # taken
        api.post("/cases/", json={"accession": "LEAK-3", "patient": {**PATIENT, "sex": PATIENT["notes"]}}),
        api.post("/cases/", json={"accession": "LEAK-3", "patient": PATIENT["notes"]}),
        api.post("/cases/", content=str(PATIENT), headers={"Content-Type": "application/json"}),
        api.post("/cases/", content=str(PATIENT), headers={"Content-Type": "text/plain"}),
        api.post("/cases/search/", json={"mrn": [PATIENT["mrn"]]}),
        api.get("/cases/", params={"mrn": PATIENT["mrn"], "cursor": PATIENT["name"]}),
        api.get(f"/cases/{case}/nothing/", params=PATIENT),
        api.post("/tokens/", json={"email": member["email"], "password": PASSWORD}),
        httpx.get(f"{stack.url}/api/v1/cases/", headers={"Authorization": f"Bearer {TOKEN}"}),
        browser.get("/nothing/", params=PATIENT),
        browser.post("/cases/new/", data=PATIENT),  # without the form's token
        browser.get("/worklist/", params={"after": PATIENT["mrn"]}),
    ]

    # Failing tasks, a model server that does not answer, and files that are no images.
    stack.stop("serving")
    folder = tmp_path_factory.mktemp("cells")
    (folder / "broken.jpg").write_bytes(b"not an image")
    with Client(stack.url, member["token"]) as client:
        client.upload(client.case(case), [*many_pictures(folder, 2), folder / "broken.jpg"])
        assert eventually(
            lambda: "does not answer" in (api.get(f"/cases/{case}/").json()["model_notice"] or ""), 60
        )
        stack.start("serving")
        client.wait(case)

    stack.stop("postgres")
    errors += [
        browser.post("/cases/new/", data=PATIENT),
        browser.post("/accounts/login/", data={"login": member["email"], "password": PASSWORD}),
        api.post("/cases/", json={"accession": "LEAK-4", "patient": PATIENT}),
    ]
    stack.start("postgres")
    assert all(response.is_error for response in errors), errors
    assert {response.status_code for response in errors} >= {400, 401, 403, 404, 409, 415, 500}
    assert eventually(lambda: httpx.get(f"{stack.url}/readyz").status_code == 200, 60)
    return errors


@pytest.fixture(scope="module")
def mailed(stack, error_pages) -> set[str]:
    """A code to sign in and an invitation's secret, as the messages have them that were sent."""
    admin = stack.new_lab()["admin"]
    with httpx.Client(base_url=stack.url, follow_redirects=True, timeout=30) as browser:
        sign_in(browser, admin["email"], admin["password"])
        invited = {"email": "planted-guest@else.example", "role": "technician"}
        post(browser, "/lab/invitations/", invited, at="/lab/members/")
    with httpx.Client(base_url=stack.url, follow_redirects=True, timeout=30) as browser:
        post(browser, "/accounts/login/code/", {"email": admin["email"]}, at="/accounts/login/code/")

    def sent() -> list[str]:
        return [path.read_text() for path in (stack.home / "mail").glob("*.log")]

    assert eventually(lambda: any("planted-guest" in text for text in sent()), 20)
    (code,) = [text for text in sent() if f"To: {admin['email']}" in text and "sign in" in text]
    (link,) = [text for text in sent() if "planted-guest" in text]
    return {
        present(re.search(r"^    (\S+)$", code, re.MULTILINE))[1],
        present(re.search(r"/invitations/(.*?)/", link.replace("=\n", "")))[1],
    }


@pytest.fixture(scope="module")
def secrets(stack, member, mailed) -> set[str]:
    """What the product's programs use among themselves, and what the member signs in with."""
    values = asdict(Secrets.load(stack.home))
    del values["s3_access"]  # the name that goes with a secret; every upload form shows it
    keys = {line.partition(":")[2] for line in data_keys_file(stack.home).read_text().split()}
    raw = {base64.b64decode(key).hex() for key in keys}
    return {*values.values(), *keys, *raw, *mailed, member["password"], member["token"]}


def test_no_log_holds_them(stack, error_pages, secrets):
    logs = list((stack.home / "log").iterdir())
    assert {"web.log", "postgres.log", "worker-interactive.log", "seaweedfs.log"} <= {
        log.name for log in logs
    }
    for log in logs:
        assert found(log.read_text(errors="replace"), PLANTED | secrets) == set(), log.name


def test_the_search_finds_what_is_there(stack, error_pages):
    """Failures were logged, so the logs that were searched are those of what was done."""
    web = (stack.home / "log" / "web.log").read_text(errors="replace")
    assert '"POST /cases/new/" 500' in web
    assert found(web, {"/cases/new/"})
    assert "serving" in "".join(path.name for path in (stack.home / "log").iterdir())


def test_no_error_page_holds_them(error_pages, secrets):
    for page in error_pages:
        assert found(page.text, PLANTED | secrets) == set(), (page.request.url.path, page.status_code)


def test_neither_broker_nor_cache_holds_them(stack, error_pages, secrets):
    with redis.Redis.from_url(stack.environment["HEMATOVISION_BROKER_URL"]) as broker:
        read = {
            b"string": broker.get,
            b"hash": broker.hgetall,
            b"list": lambda key: broker.lrange(key, 0, -1),
            b"set": broker.smembers,
            b"zset": lambda key: broker.zrange(key, 0, -1),
        }
        keys = list(broker.scan_iter())
        contents = [(key, read[broker.type(key)](key)) for key in keys]
    assert keys
    assert found(str(contents), PLANTED | secrets) == set()


def test_no_task_holds_them(stack, error_pages, secrets):
    port = stack.stack.settings.port("flower")
    auth = (FLOWER_USER, Secrets.load(stack.home).flower)
    tasks = httpx.get(f"http://127.0.0.1:{port}/api/tasks", auth=auth)
    assert tasks.status_code == 200
    assert "classify" in tasks.text
    assert found(tasks.text, PLANTED | secrets) == set()


def test_the_database_holds_them_encrypted_or_not_at_all(stack, error_pages, secrets):
    """The outbox, the audit trail, sessions: every table, as text."""
    held: dict[str, set[str]] = {}
    with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            every = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table))
            rows = connection.execute(every).fetchall()
            if leaked := found("\n".join(row for (row,) in rows), PLANTED | secrets):
                held[table] = leaked
    searched = {table for (table,) in tables}
    assert {"outbox_outboxentry", "audit_entry", "patients_patient", "cases_clinicalnotes"} <= searched
    assert held == {}


def found(text: str, secrets: set[str]) -> set[str]:
    return {secret for secret in secrets if secret in text}
