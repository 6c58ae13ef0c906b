"""Write docs/settings.md, the table of every setting, from the code that reads them.

    python -m infra.docs.settings_table

Sources: `webapp/config/settings/`, where each setting has its meaning as the comment on its line, under the
headings of its file; and `infra/compose/env.example` for those of docker-compose.yml.
"""

import ast
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "webapp" / "config" / "settings" / "__init__.py"
COMPOSE = ROOT / "infra" / "compose" / "env.example"
TABLE = ROOT / "docs" / "settings.md"

PREFIX = "HEMATOVISION_"
_HEADING = re.compile(r"# --- (?P<title>.*?) -+$")
_KINDS = {
    "bool": "`true` or `false`",
    "float": "number",
    "int": "whole number",
    "list": "parted by commas",
    "path": "path",
}
_ARITHMETIC = {ast.Mult: operator.mul, ast.Add: operator.add}
_EXAMPLE = re.compile(r"(?P<comment>(?:^# .*\n)+?)(?P<lines>(?:^(?:# )?[A-Z_]+=.*\n)+)", re.MULTILINE)

_TOP = """\
# Settings

<!-- Written by `python -m infra.docs.settings_table`; change the code it is made from. -->

Every process of the product reads these from its environment when it starts: `HEMATOVISION_<NAME>`, or from
the file that `HEMATOVISION_<NAME>_FILE` names, which is the way for secrets. What cannot be used stops the
start with one line that names the setting.
"""
_COMPOSE = """
## For docker-compose.yml

In `.env` beside it; `infra/compose/env.example` is the one to start from. Compose gives the containers what
they need of the settings above.
"""
_HEAD = "\n| setting | default | |\n| --- | --- | --- |\n"


@dataclass(frozen=True)
class Setting:
    """One call of `env` in the settings.

    Attributes:
        name: without the prefix.
        section: the heading it stands under.
        kind: what a value must be.
        default: as a person would write it in the environment; None where one must be given.
        meaning: the comment on its line; empty where there is none.
        only_with: another setting, without which this one is not read.
    """

    name: str
    section: str
    kind: str
    default: str | None
    meaning: str
    only_with: str = ""


def read(path: Path = SETTINGS) -> list[Setting]:
    """Every setting that a settings module reads, after those of the modules that it is composed of."""
    tree, lines = ast.parse(source := path.read_text()), source.splitlines()
    composed = [setting for part in _parts(tree) for setting in read(path.with_name(f"{part}.py"))]
    return [*composed, *(_setting(call, lines, only_with) for call, only_with in _calls(tree))]


def _parts(tree: ast.Module) -> Iterator[str]:
    """The modules beside it of which a settings module takes everything."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.names[0].name == "*":
            yield node.module.rpartition(".")[2]


def _calls(node: ast.AST, only_with: str = "") -> Iterator[tuple[ast.Call, str]]:
    """Each call of `env`, with the setting that the `if` around it asks for."""
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).startswith("env."):
        yield node, only_with
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        only_with = node.test.id
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, only_with)


def render() -> str:
    """The whole page."""
    parts = [_TOP]
    section = None
    for setting in read():
        if setting.section != section:
            section = setting.section
            parts.append(
                f"\n## {section[0].upper()}{section[1:]}\n\n| setting | default | |\n| --- | --- | --- |\n"
            )
        default = "**required**" if setting.default is None else _code(setting.default)
        if setting.default is None and setting.only_with:
            default += f" with `{PREFIX}{setting.only_with}`"
        said = "; ".join(filter(None, [setting.meaning, setting.kind]))
        parts.append(f"| `{PREFIX}{setting.name}` | {default} | {said} |\n")
    parts.append(_COMPOSE + "\n| setting | default | |\n| --- | --- | --- |\n")
    parts += [
        f"| `{name}` | {_code(default)} | {meaning} |\n" for name, default, meaning in compose_settings()
    ]
    return "".join(parts)


def compose_settings(path: Path = COMPOSE) -> Iterator[tuple[str, str, str]]:
    """Name, default or example, and meaning of each variable in the example of `.env`."""
    for block in _EXAMPLE.finditer(path.read_text()):
        meaning = " ".join(line.removeprefix("#").strip() for line in block["comment"].splitlines())
        for line in block["lines"].splitlines():
            name, _, value = line.removeprefix("# ").partition("=")
            yield name, value, meaning


def _setting(node: ast.Call, lines: list[str], only_with: str) -> Setting:
    assert isinstance(node.func, ast.Attribute)  # noqa: S101 - env.kind(…)
    name, *default = node.args
    titles = (_HEADING.match(line) for line in lines[: node.lineno])
    ends = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :], lines[node.lineno - 1]
    meaning = next((comment for _, found, comment in (end.partition("  # ") for end in ends) if found), "")
    return Setting(
        name=ast.literal_eval(name),
        section=[title["title"] for title in titles if title][-1],
        kind=_KINDS.get(node.func.attr, ""),
        default=_default(default[0]) if default else None,
        meaning=meaning,
        only_with=only_with,
    )


def _default(node: ast.expr) -> str:
    """A default as it would be written in the environment."""
    match node:
        case ast.Constant(None):
            return ""
        case ast.Constant(bool(value)):
            return str(value).lower()
        case ast.Constant(value):
            return str(value)
        case ast.List(elements):
            return ",".join(map(_default, elements))
        case ast.Name(name):
            return f"that of {PREFIX}{name}"
        case ast.BinOp(ast.Attribute(attr="parent"), ast.Div(), right):
            return _default(right)
        case ast.BinOp(left, ast.Div(), right):
            return f"{_default(left)}/{_default(right)}"
        case ast.BinOp(left, sign, right) if type(sign) in _ARITHMETIC:
            return str(_ARITHMETIC[type(sign)](int(_default(left)), int(_default(right))))
        case _:
            return ast.unparse(node)


def _code(text: str) -> str:
    if text.startswith("that of "):
        return f"that of `{text.removeprefix('that of ')}`"
    return f"`{text}`" if text else "–"


if __name__ == "__main__":
    TABLE.write_text(render())
