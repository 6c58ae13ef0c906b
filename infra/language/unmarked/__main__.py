"""`python -m infra.language.unmarked [FOLDER…]`: the strings below, by place; fails where there is one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.language.unmarked import python, scripts, templates
from infra.language.unmarked.findings import Finding

Check = Callable[[str, str], Iterator[Finding]]

# Where the strings are that people see. What `serving` and `training` print is for those who develop models.
READ: dict[str, tuple[tuple[str, Check], ...]] = {
    "webapp": (
        (".py", python.check),
        (".html", templates.check),
        (".txt", templates.check),
        (".js", scripts.check),
    ),
    "workers": ((".py", python.check),),
    "infra": ((".py", python.check),),
    "serving/decoder": ((".py", python.check),),
}
# Written by others or by programs, or for developers of this code; and faults of settings, before which no
# catalogue can be found.
LEFT_OUT = ("/migrations/", "/vendor/", "infra/docs/", "infra/language/", "webapp/config/")


def find(root: Path) -> Iterator[Finding]:
    for folder, checks in READ.items():
        for suffix, check in checks:
            for path in sorted((root / folder).rglob(f"*{suffix}")):
                name = path.relative_to(root).as_posix()
                if not any(part in name for part in LEFT_OUT):
                    yield from check(name, path.read_text(encoding="utf-8"))


def main() -> int:
    wanted = tuple(sys.argv[1:])
    found = [one for one in find(Path.cwd()) if not wanted or one.path.startswith(wanted)]
    for one in sorted(found):
        print(one)  # noqa: T201 - for whoever runs the check
    if found:
        print(f"{len(found)} strings are not marked; how to: CONTRIBUTING.md", file=sys.stderr)  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
