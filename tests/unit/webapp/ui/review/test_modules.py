"""The page of a review names each module that its script imports, so that browsers fetch them at once."""

import re
from pathlib import PurePosixPath

from webapp.ui.review.views import MODULES

IMPORT = re.compile(r'\bfrom "(\.[^"]+)";')


def test_what_the_script_imports_is_named_and_nothing_else(pytestconfig):
    static = pytestconfig.rootpath / "webapp" / "ui" / "static"
    found: set[str] = set()
    waiting = ["ui/review.js"]
    while waiting:
        script = waiting.pop()
        for named in IMPORT.findall((static / script).read_text()):
            module = (static / PurePosixPath(script).parent / named).resolve().relative_to(static.resolve())
            if str(module) not in found:
                found.add(str(module))
                waiting.append(str(module))
    assert set(MODULES) == found
    assert len(MODULES) == len(found)
