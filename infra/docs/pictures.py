"""Takes the pictures of the product that the documents show: `make pictures`.

It starts a demonstration of its own, with drawn cells, on free ports and in a scratch folder. Your
installation is left alone. Needs Chromium, as the tests of pages do.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
CHROMIUM = os.environ.get("HEMATOVISION_CHROMIUM", "/usr/bin/chromium")
COMMAND = Path(sys.executable).with_name("hematovision")
WINDOW = ViewportSize(width=1280, height=1040)
ACCESSION = "H-1042"
PATIENCE_S = 600
QUALITY = 76
PORTS = 32  # more than the stack takes in a row


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        home, log = Path(scratch, "var"), Path(scratch, "log")
        base = free_block()
        environment = os.environ | {
            "HEMATOVISION_HOME": str(home),
            "HEMATOVISION_WEB_PORT": str(base + PORTS),
            "HEMATOVISION_BASE_PORT": str(base),
        }
        with log.open("wb") as output:
            demo = subprocess.Popen([COMMAND, "demo"], env=environment, stdout=output, stderr=output)
        try:
            address = wait_for_case(log, demo)
            people = json.loads((home / "demo" / "people.json").read_text())
            rename_case(address, environment)
            photograph(address, people["pathologist"])
        finally:
            demo.terminate()
            demo.wait()


def free_block() -> int:
    """The first of a row of ports that nobody listens on."""
    for base in range(21_000, 29_000, 2 * PORTS):
        if all(is_free(port) for port in (*range(base, base + PORTS + 1), base + 10_008)):
            return base
    raise SystemExit("There is no row of free ports for the demonstration.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_for_case(log: Path, demo: "subprocess.Popen[bytes]") -> str:
    """The address of the demonstration's case, once every cell of it is classified."""
    for _ in range(PATIENCE_S):
        text = log.read_text()
        if "Ctrl-C stops it" in text and (found := re.search(r"Case: (\S+)", text)):
            return found[1]
        if demo.poll() is not None:
            break
        time.sleep(1)
    raise SystemExit(f"The demonstration did not come to a case:\n{log.read_text()}")


def rename_case(address: str, environment: dict[str, str]) -> None:
    """Give the case a number such as labs give, the same in every picture."""
    case = address.rstrip("/").rpartition("/")[2]
    change = (
        "from webapp.cases.models import Case; from django_scopes import scopes_disabled\n"
        f"with scopes_disabled(): Case.objects.filter(id={case!r}).update(accession={ACCESSION!r})"
    )
    command = [str(COMMAND), "manage", "shell", "--no-imports", "--command", change]
    subprocess.run(command, env=environment, check=True)


def photograph(address: str, person: dict[str, str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=WINDOW, color_scheme=scheme)
            page.goto(address)
            page.get_by_label("E-mail").fill(person["email"])
            page.get_by_label("Password").fill(person["password"])
            page.get_by_role("button", name="Sign in").click()
            page.goto(address, wait_until="networkidle")
            picture = Image.open(BytesIO(page.screenshot()))
            picture.convert("RGB").save(PICTURES / f"case-{scheme}.webp", quality=QUALITY, method=6)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
