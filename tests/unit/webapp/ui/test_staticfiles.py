"""Modules that scripts import have names that tell their content, like all static files."""

import gzip
import re
import shutil

import pytest
from django.core.files.storage import FileSystemStorage

from webapp.ui.staticfiles import ModuleStaticFilesStorage

IMPORT = re.compile(r'^(?:import\b[^;]*?|export\b[^;]*?\bfrom )"([^"]+)";', re.MULTILINE)


COMPRESSED = (".gz", ".br")


@pytest.fixture
def source(tmp_path, pytestconfig):
    return shutil.copytree(pytestconfig.rootpath / "webapp" / "ui" / "static", tmp_path / "source")


def collect(source, into):
    shutil.copytree(source, into)
    storage = ModuleStaticFilesStorage(location=into, base_url="/static/")
    files = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
    given = FileSystemStorage(location=source)
    made = storage.post_process({n: (given, n) for n in files})
    return {name: into / hashed for name, hashed, _ in made if not hashed.endswith(COMPRESSED)}


def test_each_import_leads_to_a_file_with_a_hash_in_its_name(source, tmp_path):
    collected = collect(source, tmp_path / "static")
    imports = 0
    for script in (path for path in source.rglob("*.js") if "vendor" not in path.parts):
        hashed = collected[str(script.relative_to(source))]
        for named in IMPORT.findall(hashed.read_text()):
            assert re.search(r"\.[0-9a-f]{12}\.js$", named), (script.name, named)
            assert (hashed.parent / named).is_file(), (script.name, named)
            imports += 1
    assert imports > 10


def test_scripts_and_styles_are_compressed_for_slow_lines(source, tmp_path):
    collected = collect(source, tmp_path / "static")
    for name in ("ui/review/page.js", "ui/review.css"):
        plain = collected[name]
        packed = plain.with_name(f"{plain.name}.gz")
        assert packed.stat().st_size < 0.5 * plain.stat().st_size
        assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_what_a_module_says_changes_the_name_of_each_that_imports_it(source, tmp_path):
    first = collect(source, tmp_path / "first")
    with (source / "ui" / "upload" / "limits.js").open("a") as limits:
        limits.write("// changed\n")
    second = collect(source, tmp_path / "second")
    changed = {name for name in first if first[name].name != second[name].name}
    assert {"ui/upload.js", "ui/upload/limits.js", "ui/upload/queue.js", "ui/upload/retry.js"} <= changed
    assert "ui/cell.js" not in changed
