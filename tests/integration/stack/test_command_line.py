"""`hematovision` against the running product: sign in, upload, repeat, demonstrate."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.client.client import Client
from infra.demo import cells
from infra.local.config.settings import PREFIX
from serving.contract import CELL_LABELS
from tests.support.stack import RunningStack

HEMATOVISION = str(Path(sys.executable).with_name("hematovision"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight drawn cells, one of each class, in folders of their classes."""
    folder = tmp_path_factory.mktemp("cells")
    cells.write(folder, per_class=1, seed=5)
    return folder


class Terminal:
    """A technician's shell, with a home folder of its own."""

    def __init__(self, stack: RunningStack, technician: dict[str, str], home: Path) -> None:
        self.technician = technician
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self.env = {**inherited, "HOME": str(home), "XDG_CONFIG_HOME": str(home), f"{PREFIX}URL": stack.url}

    def run(self, *arguments: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [HEMATOVISION, *map(str, arguments)],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )

    def sign_in(self) -> "subprocess.CompletedProcess[str]":
        password = {f"{PREFIX}PASSWORD": self.technician["password"]}
        return self.run("login", "--email", self.technician["email"], **password)


@pytest.fixture(scope="module")
def technician(stack: RunningStack) -> dict[str, str]:
    return stack.new_lab()["technician"]


@pytest.fixture
def terminal(stack: RunningStack, technician: dict[str, str], tmp_path: Path) -> Terminal:
    return Terminal(stack, technician, tmp_path / "home")


@pytest.fixture
def client(stack: RunningStack, terminal: Terminal) -> Iterator[Client]:
    with Client(stack.url, terminal.technician["token"]) as client:
        yield client


def test_help_is_at_hand_at_once(terminal: Terminal) -> None:
    shown = terminal.run("--help")
    assert shown.returncode == 0
    assert "upload" in shown.stdout
    heavy = (
        "import infra.commands.cli, sys;"
        "print({'django', 'boto3', 'psycopg', 'httpx', 'numpy'} & set(sys.modules))"
    )
    imported = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True)
    assert imported.stdout.strip() == "set()"


def test_sign_in_once_then_upload_and_see_the_count(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    signed_in = terminal.sign_in()
    assert signed_in.returncode == 0, signed_in.stdout
    (tokens,) = (tmp_path / "home").rglob("tokens.json")
    assert tokens.stat().st_mode & 0o777 == 0o600
    done = terminal.run("upload", folder, "--case", "CLI-1")
    assert done.returncode == 0, done.stdout
    assert "Uploading: 8 of 8" in done.stdout
    assert "Classifying: 8 of 8" in done.stdout
    assert "Suggested differential of CLI-1" in done.stdout
    assert "Neutrophil" in done.stdout
    assert f"{terminal.env[f'{PREFIX}URL']}/cases/" in done.stdout


def test_what_is_not_taken_is_named_with_the_reason(terminal: Terminal, tmp_path: Path) -> None:
    cells.draw("platelet", 1).save(tmp_path / "good.png")
    (tmp_path / "notes.jpg").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    token = terminal.technician["token"]
    done = terminal.run("upload", tmp_path, "--case", "CLI-2", "--token", token)
    assert done.returncode == 1
    assert "notes.jpg" in done.stdout
    assert "empty.png" in done.stdout
    assert "The file is empty" in done.stdout
    assert "good.png" not in done.stdout


def test_a_second_run_counts_nothing_twice(terminal: Terminal, folder: Path, client: Client) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    for _ in range(2):
        done = terminal.run("upload", folder, "--case", "CLI-3", **token)
        assert done.returncode == 0, done.stdout
    assert "8 files: 8 in the case already." in done.stdout
    assert client.case(client.open_case("CLI-3").id).progress["classified"] == 8


def test_frames_of_two_slides_share_names_and_sizes_and_are_all_counted(
    terminal: Terminal, client: Client, tmp_path: Path
) -> None:
    """Cameras write BMPs of one size and number them anew; here the slides come one after the other."""
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    for slide, label in (("a", "monocyte"), ("b", "neutrophil")):
        (tmp_path / slide).mkdir()
        cells.draw(label, 1).resize((200, 200)).save(tmp_path / slide / "frame1.bmp")
        done = terminal.run("upload", tmp_path / slide, "--case", "CLI-SLIDES", **token)
        assert done.returncode == 0, done.stdout
        assert "1 file: 1 uploaded." in done.stdout
    assert client.case(client.open_case("CLI-SLIDES").id).progress["classified"] == 2


def test_a_file_is_given_in_place_of_a_refused_one(
    terminal: Terminal, client: Client, technician: dict[str, str], tmp_path: Path
) -> None:
    token = {"HEMATOVISION_TOKEN": technician["token"]}
    bad, good = tmp_path / "bad.jpg", tmp_path / "good.png"
    bad.write_text("not an image")
    cells.draw("monocyte", 1).save(good)
    named = ("--case", "CLI-REPLACED")
    assert terminal.run("upload", bad, *named, "--priority", "urgent", **token).returncode == 1
    nothing = terminal.run("upload", good, *named, "--replaces", "other.jpg", **token)
    assert nothing.returncode == 2
    assert "It has bad.jpg (" in nothing.stdout
    several = terminal.run("upload", tmp_path, *named, "--replaces", "bad.jpg", **token)
    assert (several.returncode, "One file is given" in several.stdout) == (2, True)
    assert terminal.run("upload", good, *named, "--replaces", "bad.jpg", **token).returncode == 0
    case = client.find_case("CLI-REPLACED")
    assert (case.progress["replaced"], case.progress["classified"], case.progress["refused"]) == (1, 1, 0)
    assert client.outstanding(case) == []
    again = terminal.run("upload", good, *named, "--replaces", "bad.jpg", **token)
    assert "no refused or failed file that nothing was given for" in again.stdout


def test_of_which_slide_the_images_are_is_said_by_its_label(
    terminal: Terminal, client: Client, tmp_path: Path
) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    case = client.open_case("CLI-OF-SLIDE")
    cells.draw("monocyte", 3).resize((200, 200)).save(tmp_path / "cell.bmp")
    none = terminal.run("upload", tmp_path, "--case", case.accession, "--slide", "S 1", **token)
    assert none.returncode == 2
    assert "Name its slides on its page first." in none.stdout
    made = client.connection.call("POST", f"cases/{case.id}/slides/", json={"label": "S 1"})
    other = terminal.run("upload", tmp_path, "--case", case.accession, "--slide", "S 2", **token)
    assert other.returncode == 2
    assert "The case has no slide S 2. It has S 1." in other.stdout
    assert list(client.images(case.id)) == []
    done = terminal.run("upload", tmp_path, "--case", case.accession, "--slide", "S 1", **token)
    assert done.returncode == 0, done.stdout
    assert [image["slide"] for image in client.images(case.id)] == [made["id"]]


def test_repeating_an_upload_changes_nothing_whatever_became_of_it(
    terminal: Terminal, client: Client, tmp_path: Path
) -> None:
    cells.draw("platelet", 2).save(tmp_path / "good.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "good.png").read_bytes())
    (tmp_path / "letter.jpg").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    first = terminal.run("upload", tmp_path, "--case", "CLI-REPEAT", **token)
    assert first.returncode == 1, first.stdout
    assert "4 files: 1 uploaded, 1 the same as another, 2 not taken." in first.stdout
    assert "good.png  the same picture as copy.png" in first.stdout
    rows = list(client.images(client.open_case("CLI-REPEAT").id))
    again = terminal.run("upload", tmp_path, "--case", "CLI-REPEAT", **token)
    assert again.returncode == 0, again.stdout
    assert "1 in the case already, 1 the same as another, 2 refused before." in again.stdout
    assert "empty.png  The file is empty" in again.stdout
    assert "letter.jpg  This is text" in again.stdout
    assert list(client.images(client.open_case("CLI-REPEAT").id)) == rows


def test_repeating_while_all_waits_adds_nothing(
    stack: RunningStack, terminal: Terminal, folder: Path, client: Client
) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    stack.stop("relay")
    try:
        for _ in range(2):
            done = terminal.run("upload", folder, "--case", "CLI-WAITS", "--no-wait", **token)
            assert done.returncode == 0, done.stdout
        assert "8 files: 8 in the case already." in done.stdout
        assert client.case(client.open_case("CLI-WAITS").id).progress["total"] == 8
    finally:
        stack.start("relay")
    assert client.wait(client.open_case("CLI-WAITS").id).progress["classified"] == 8


def test_what_is_left_out_is_named_and_the_exit_code_tells_of_cells_that_may_be_missing(
    terminal: Terminal, tmp_path: Path
) -> None:
    given, elsewhere = tmp_path / "given", tmp_path / "elsewhere"
    given.mkdir()
    elsewhere.mkdir()
    cells.draw("basophil", 3).save(given / "DSC0001", "PNG")
    cells.draw("basophil", 4).save(given / "b.jfif", "JPEG")
    (given / "Thumbs.db").write_bytes(b"x")
    (given / "slide.xml").write_text("<slide/>")
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    done = terminal.run("upload", given, "--case", "CLI-LEFT", "--no-wait", **token)
    assert done.returncode == 0, done.stdout
    assert "4 files: 2 uploaded, 2 left out." in done.stdout
    assert "slide.xml  not a picture, by its content" in done.stdout
    assert "Thumbs.db  a hidden or system file" in done.stdout
    (given / "slide 2").symlink_to(elsewhere)
    done = terminal.run("upload", given, "--case", "CLI-LEFT", "--no-wait", **token)
    assert done.returncode == 1, done.stdout
    assert "slide 2  a link to a folder" in done.stdout


def test_labels_made_elsewhere_are_decided_once_and_each_problem_is_named(
    terminal: Terminal, folder: Path, client: Client, tmp_path: Path
) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    terminal.run("upload", folder, "--case", "CLI-LABELS", **token)
    case = client.find_case("CLI-LABELS")
    names = sorted(image["name"] for image in client.images(case.id))
    labels = tmp_path / "labels.csv"
    lines = ["file;class", f"{names[0]};Blast", f"{names[1]};MON", "nothing.png;blast", f"{names[2]};blastt"]
    labels.write_text("\n".join([*lines, f"{names[0]};other"]))
    arguments = ("review", "--case", "CLI-LABELS", "--labels", labels)
    dry = terminal.run(*arguments, "--dry-run", **token)
    assert dry.returncode == 1, dry.stdout
    problems = (
        "line 4: The case has no file “nothing.png”.",
        "line 5: There is no class “blastt”.",
        "line 6: The file is named twice: line 2 has it already.",
    )
    for problem in (*problems, "2 of 5 lines can be decided. Nothing was sent."):
        assert problem in dry.stdout
    assert client.first_reading(case.id) is None
    for _ in range(2):
        done = terminal.run(*arguments, **token)
        assert done.returncode == 1, done.stdout
        for said in (*problems, "2 of 5 lines are decided.", "Reviewed differential of CLI-LABELS"):
            assert said in done.stdout
        assert (client.first_reading(case.id) or {})["revision"] == 2
    labels.write_text("\n".join([f"{lines[0]};words", *lines[1:3], f"{names[2]};Other;like a hairy cell"]))
    assert terminal.run(*arguments, **token).returncode == 0
    reading = (client.first_reading(case.id) or {})["id"]
    (cell,) = next(image["cell_ids"] for image in client.images(case.id) if image["name"] == names[2])
    said = client.connection.call("GET", f"readings/{reading}/cells/{cell}/")["decision"]
    assert (said["class"], said["words"]) == ("other", "like a hairy cell")
    labels.write_bytes(b"\xff\xfe")
    assert terminal.run(*arguments, **token).returncode == 2
    assert terminal.run("review", "--case", "CLI-NOTHING", **token).returncode == 2
    shown = terminal.run("review", "--case", "CLI-LABELS", **token)
    assert shown.returncode == 0
    assert "Suggested differential of CLI-LABELS" in shown.stdout
    assert "Blast" in shown.stdout


def test_what_somebody_else_decided_is_not_overwritten_by_labels(
    stack: RunningStack, terminal: Terminal, folder: Path, client: Client, tmp_path: Path
) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    terminal.run("upload", folder, "--case", "CLI-OTHERS", **token)
    case = client.find_case("CLI-OTHERS")
    image = next(client.images(case.id))
    reading = client.open_first_reading(case.id)["id"]
    (cell,) = image["cell_ids"]
    gesture = str(uuid.uuid4())
    page = {"gesture": gesture, "client": str(uuid.uuid4()), "base_revision": 0}
    client.decide(reading, {**page, "decisions": [{"cell": cell, "class": "plasma_cell"}]})
    labels = tmp_path / "labels.csv"
    labels.write_text(f"{image['name']},blast\n")
    for more in (("--dry-run",), ()):
        done = terminal.run("review", "--case", "CLI-OTHERS", "--labels", labels, *more, **token)
        assert done.returncode == 1
        assert "line 1: It stays as it is:" in done.stdout
        assert "decided that it is “Plasma cell”." in done.stdout
    assert client.decided(client.first_reading(case.id) or {})[cell][0] == "plasma_cell"
    # What was taken back is decided by nobody.
    page |= {"gesture": str(uuid.uuid4()), "base_revision": 1}
    client.decide(reading, {**page, "undo": gesture})
    assert (
        terminal.run("review", "--case", "CLI-OTHERS", "--labels", labels, "--dry-run", **token).returncode
        == 0
    )
    assert terminal.run("review", "--case", "CLI-OTHERS", "--labels", labels, **token).returncode == 0
    assert client.decided(client.first_reading(case.id) or {})[cell][0] == "blast"


def test_labels_are_decided_anew_after_others_were_and_overwrite_nothing(
    terminal: Terminal, folder: Path, client: Client, tmp_path: Path
) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    terminal.run("upload", folder, "--case", "CLI-AGAIN", **token)
    case = client.find_case("CLI-AGAIN")
    name = next(client.images(case.id))["name"]
    labels = tmp_path / "labels.csv"
    for said, status in (("blast", 0), ("other", 1), ("blast", 0)):
        labels.write_text(f"/slides/{name};{said}\n=1+1\x1b[2J;other\n" if status else f"{name};{said}\n")
        for more in (("--dry-run",), ()):
            done = terminal.run("review", "--case", "CLI-AGAIN", "--labels", labels, *more, **token)
            assert done.returncode == status, done.stdout
            assert "\x1b[2J" not in done.stdout
            if status:
                assert "line 1: It stays as it is:" in done.stdout
                assert "decided that it is “Blast”." in done.stdout
                assert "line 2: The case has no file “=1+1\\x1b[2J”." in done.stdout
        (decided,) = client.decided(client.first_reading(case.id) or {}).values()
        assert decided[0] == "blast"


LOCALES = [
    {"LANG": "C", "LC_ALL": "C"},
    {"LC_ALL": "POSIX"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C.UTF-8"},
]


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_names_in_any_script_and_bytes_that_are_no_text_are_sent_and_printed(
    terminal: Terminal, client: Client, tmp_path: Path, locale: dict[str, str]
) -> None:
    cells.draw("monocyte", 7).save(tmp_path / "x.png")
    content = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").rename(tmp_path / "単球 é.png")
    with open(bytes(tmp_path) + b"/Zelle_\xe4.png", "wb") as latin:  # noqa: PTH123 - no text, so no Path
        latin.write(content)
    with open(bytes(tmp_path) + b"/notiz_\xe4\x1b[2J", "w") as note:  # noqa: PTH123
        note.write("nothing")
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    accession = f"CLI-{LOCALES.index(locale)}-é"
    done = terminal.run("upload", tmp_path, "--case", accession, **token, **locale)
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    assert "notiz_\\xe4\\x1b[2J  not a picture" in done.stdout
    assert "Zelle_\\xe4.png" in done.stdout
    (row,) = client.images(client.open_case(accession).id)
    assert row["name"] in ("単球 é.png", "Zelle_\ufffd.png")


def test_without_an_address_the_installation_here_is_meant(
    stack: RunningStack, terminal: Terminal, folder: Path
) -> None:
    del terminal.env[f"{PREFIX}URL"]
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    upload = ("upload", folder, "--case", "CLI-3")
    done = terminal.run(*upload, **token, **{f"{PREFIX}HOME": str(stack.home)})
    assert done.returncode == 0, done.stdout
    port = stack.url.rpartition(":")[2]
    done = terminal.run(*upload, **token, **{f"{PREFIX}HOME": "/nowhere", f"{PREFIX}WEB_PORT": port})
    assert done.returncode == 0, done.stdout
    wrong = terminal.run(*upload, **token, **{f"{PREFIX}WEB_PORT": "http"})
    assert wrong.returncode == 2
    assert "give a whole number" in wrong.stdout


def test_a_sites_proxy_and_its_networks_are_not_for_this_machine(terminal: Terminal, folder: Path) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    proxy = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    for excepted in ("10.0.0.0/8,::1/128", "::1/128", "", "[::1]"):
        environment = {**proxy, "no_proxy": excepted, "NO_PROXY": excepted}
        done = terminal.run("upload", folder, "--case", "CLI-3", **token, **environment)
        assert done.returncode == 0, (excepted, done.stdout)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """A web server that is no HematoVision."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # a POST is refused, with HTML
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"welcome": ["to another product"]}')

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class TestFailuresAreSentences:
    """Each in words, on one line or few, with an exit code, and never as a traceback."""

    def refused(self, terminal: Terminal, *arguments: str | Path, **env: str) -> str:
        done = terminal.run(*arguments, **{f"{PREFIX}TOKEN": "hv_any"}, **env)
        assert done.returncode == 2, done.stdout
        assert "Traceback" not in done.stdout
        assert len(done.stdout.splitlines()) <= 2, done.stdout
        return done.stdout

    def test_a_server_that_cannot_be_had(self, terminal: Terminal, folder: Path, elsewhere: str) -> None:
        """At the same time: each is waited for, in case it comes back."""
        told = {
            "http://127.0.0.1:9": "No answer from http://127.0.0.1:9",
            "http://no-such-host.invalid": "No answer from http://no-such-host.invalid",
            elsewhere.replace("http", "https"): "No answer from https://127.0.0.1",
            elsewhere: "perhaps not a HematoVision server",
            "127.0.0.1:8000": "not the address of a server",
            "http://[::1": "not the address of a server",
        }

        def ask(url: str) -> str:
            return self.refused(terminal, "upload", folder, "--case", "X", "--url", url)

        with ThreadPoolExecutor(len(told)) as pool:
            for words, said in zip(told.values(), pool.map(ask, told), strict=True):
                assert words in said

    def test_a_proxy_that_rejects_or_is_none(self, terminal: Terminal, folder: Path, elsewhere: str) -> None:
        upload = ("upload", folder, "--case", "X", "--url", "http://lab.example")
        assert "socks" in self.refused(terminal, *upload, http_proxy="socks5://127.0.0.1:1")
        said = self.refused(terminal, "upload", folder, "--case", "X", "--url", "https://lab.example",
                            https_proxy=elsewhere)  # fmt: skip
        assert "proxy" in said

    def test_tokens_that_cannot_be_read(self, terminal: Terminal, folder: Path, tmp_path: Path) -> None:
        place = tmp_path / "home" / "hematovision"
        place.mkdir(parents=True)
        for broken in ("{", "[]", "\udcff"):
            (place / "tokens.json").write_bytes(broken.encode(errors="surrogateescape"))
            done = terminal.run("upload", folder, "--case", "X")
            assert (done.returncode, "holds no tokens" in done.stdout) == (2, True), done.stdout
        (place / "tokens.json").unlink()
        (place / "tokens.json").mkdir()
        done = terminal.run("upload", folder, "--case", "X")
        assert (done.returncode, "cannot be read" in done.stdout) == (2, True), done.stdout
        assert "Traceback" not in terminal.sign_in().stdout

    def test_a_case_and_a_token_that_cannot_be_sent(self, terminal: Terminal, folder: Path) -> None:
        assert "characters" in self.refused(terminal, "upload", folder, "--case", "X", "--token", "hv_é")
        token = terminal.technician["token"]
        done = terminal.run("upload", folder, "--case", "a\x1bb", "--token", token)
        assert done.returncode == 2
        assert "accession: A character in it cannot be seen: U+001B" in done.stdout
        for nothing in ("", "\u200b"):  # as of a variable that is not set
            done = terminal.run("upload", folder, "--case", nothing, "--token", token)
            assert (done.returncode, "accession" in done.stdout) == (2, True), done.stdout

    @pytest.mark.parametrize("to", ["/dev/full", "closed pipe"])
    def test_an_output_that_takes_nothing(self, terminal: Terminal, folder: Path, to: str) -> None:
        shell = f"{HEMATOVISION} upload {folder} --case CLI-3 " + (
            ">/dev/full" if to == "/dev/full" else "| true; exit ${PIPESTATUS[0]}"
        )
        token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
        done = subprocess.run(
            ["bash", "-c", shell], env={**terminal.env, **token}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        assert ("No space left" in done.stderr) == (to == "/dev/full")

    def test_ctrl_c_ends_at_once(self, stack: RunningStack, terminal: Terminal, folder: Path) -> None:
        stack.stop("relay")  # so that there is something to wait for
        try:
            token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
            process = subprocess.Popen(
                [HEMATOVISION, "upload", str(folder), "--case", "CLI-CTRL-C"],
                env={**terminal.env, **token},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert process.stdout
            assert "Uploading: 8 of 8" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=20)
            assert (process.returncode, "Interrupted" in said, "Traceback" in said) == (130, True, False)
        finally:
            stack.start("relay")

    def test_ctrl_c_does_not_wait_for_a_store_that_never_answers(
        self, terminal: Terminal, folder: Path
    ) -> None:
        stalled = threading.Event()
        progress = {"state": "receiving", "total": 0, "received": 0}

        class Stalls(BaseHTTPRequestHandler):
            server: ThreadingHTTPServer

            def do_GET(self) -> None:
                self.answer({"results": [{"id": "1", "accession": "X", "progress": progress}]})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.endswith("/uploads/"):
                    url = f"http://127.0.0.1:{self.server.server_port}/store"
                    form = {"id": 1, "url": url, "fields": {}, "refused": None, "already": None}
                    self.answer({"uploads": [form] * len(json.loads(body)["files"])})
                else:
                    stalled.set()
                    time.sleep(30)

            def answer(self, body: dict[str, object]) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Stalls)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        process = subprocess.Popen(
            [HEMATOVISION, "upload", str(folder), "--case", "X", "--token", "hv_any"],
            env={**terminal.env, f"{PREFIX}URL": f"http://127.0.0.1:{server.server_port}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert stalled.wait(60)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=15)
        assert (process.returncode, "Interrupted" in said, "Traceback" in said) == (130, True, False)
        server.shutdown()
        server.server_close()


def test_no_wait_hands_over_and_returns(terminal: Terminal, folder: Path, client: Client) -> None:
    token = terminal.technician["token"]
    done = terminal.run("upload", folder, "--case", "CLI-4", "--no-wait", "--token", token)
    assert done.returncode == 0
    assert "Differential" not in done.stdout
    assert client.wait(client.open_case("CLI-4").id).progress["classified"] == 8


def test_without_a_good_token_the_way_to_one_is_told(terminal: Terminal, folder: Path) -> None:
    for options in ([], ["--token", "hv_wrong"]):
        refused = terminal.run("upload", folder, "--case", "CLI-5", *options)
        assert refused.returncode == 2
        assert "hematovision login" in refused.stdout


def test_signing_in_with_a_wrong_password_fails(terminal: Terminal) -> None:
    terminal.technician = {**terminal.technician, "password": "wrong"}
    refused = terminal.sign_in()
    assert refused.returncode == 2
    assert "wrong" in refused.stdout


def test_an_empty_folder_is_told(terminal: Terminal, tmp_path: Path) -> None:
    refused = terminal.run("upload", tmp_path, "--case", "CLI-6", "--token", "hv_any")
    assert refused.returncode == 2
    assert "no image" in refused.stdout


def test_the_demo_uses_the_running_product_again_and_again(
    stack: RunningStack, terminal: Terminal, folder: Path
) -> None:
    for number in (1, 2):
        shown = terminal.run("demo", "--once", "--images", folder, **{f"{PREFIX}HOME": str(stack.home)})
        assert shown.returncode == 0, shown.stdout
        assert "already running" in shown.stdout, number
        assert "Accuracy:" in shown.stdout
        assert "Classified: 8 of 8" in shown.stdout
        assert "technician@demo.example" in shown.stdout
        assert "drawn by a program" not in shown.stdout
    assert stack.stack.alive()


def test_the_demo_fails_when_an_image_is_not_classified(
    stack: RunningStack, terminal: Terminal, tmp_path: Path
) -> None:
    folder = tmp_path / CELL_LABELS[0]
    folder.mkdir()
    cells.draw(CELL_LABELS[0], 1).save(folder / "good.png")
    (folder / "bad.png").write_text("not a picture")
    shown = terminal.run("demo", "--once", "--images", folder, **{f"{PREFIX}HOME": str(stack.home)})
    assert shown.returncode == 1
    assert "bad.png" in shown.stdout
    assert "Classified: 1 of 2" in shown.stdout
