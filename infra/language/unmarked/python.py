"""Prose literals of Python that are neither marked nor for developers alone."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from infra.language.unmarked.findings import GLUED, Finding, exempt_lines, is_prose

MARKERS = frozenset(
    f"{kind}{lazy}" for kind in ("gettext", "ngettext", "pgettext", "npgettext") for lazy in ("", "_lazy")
) | {"_", "N_", "gettext_noop"}

LOGS = frozenset({"log", "logger", "logging", "structlog"})
# What developers and operators' machines read: English in every language. By what is called.
ENGLISH_CALLS = frozenset(
    {
        # developers' errors
        "AssertionError",
        "ImproperlyConfigured",
        "NotImplementedError",
        "RuntimeError",
        "TypeError",
        # metrics
        "Counter",
        "CounterMetricFamily",
        "Gauge",
        "GaugeMetricFamily",
        "Histogram",
        "HistogramMetricFamily",
        "Info",
        "InfoMetricFamily",
        "Summary",
        # the API's document
        "OpenApiExample",
        "OpenApiParameter",
        "OpenApiResponse",
        "extend_schema",
        "extend_schema_field",
        "extend_schema_view",
        "inline_serializer",
        # how values of settings must look: part of ImproperlyConfigured
        "Length",
        "OneOf",
        "Range",
        "Regexp",
        # traces
        "describe",
        "span",
        # what is no text at all
        "RawSQL",
        "RunSQL",
        "SQL",
        "TypeVar",
        "cast",
        "execute",
        "match_regex",
    }
)
# Arguments by name: descriptions in the API's document, and of models' fields for developers.
ENGLISH_ARGUMENTS = frozenset(
    {
        "content_type",
        "db_comment",
        "documentation",
        "headers",
        "help_text",
        "media_type",
        "operation_id",
        "prog",
    }
    | {"style"}
)
ENGLISH_NAMES = re.compile(r"SPECTACULAR_SETTINGS|__all__|\w+_FORMAT")
_HEADER = re.compile(r"[A-Z]\w*(?:-[A-Z]\w*)+")
_SQL = re.compile(
    r"\s*(?:ALTER|ANALYZE|BEGIN|CASE|COMMENT|COMMIT|COPY|CREATE|DELETE|DO|DROP|GRANT|INSERT|LOCK"
    r"|NOT EXISTS|REVOKE|SELECT|SET|SHOW|TRUNCATE|UPDATE|VACUUM|WITH)[\s,]"
)
_PLAIN_BASES = frozenset({"Model", "NamedTuple", "Protocol", "StrEnum", "Enum", "TextChoices", "object"})


Parents = dict[ast.AST, ast.AST]


def check(path: str, source: str) -> Iterator[Finding]:
    tree = ast.parse(source, path)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    exempt = exempt_lines(source)
    defined = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in MARKERS:
            yield from _not_plain(path, node)
        text = _text(node, parents)
        if text is None or not is_prose(text) or _SQL.match(text):
            continue
        above = list(_ancestors(node, parents))
        if _exempted(node, above, exempt):
            continue
        if not any(
            _is_english(child, parent, parents, defined) for child, parent in pairwise([node, *above])
        ):
            yield Finding(path, node.lineno, text)  # type: ignore[attr-defined]


def _text(node: ast.AST, parents: Parents) -> str | None:
    """Of a literal; of an f-string as a whole, with a sign for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(parents.get(node), ast.JoinedStr) or not isinstance(node, ast.Constant):
        return None
    return node.value if isinstance(node.value, str) else None


def _ancestors(node: ast.AST, parents: Parents) -> Iterator[ast.AST]:
    while node := parents.get(node):  # type: ignore[assignment]
        yield node


def _is_english(
    node: ast.AST, parent: ast.AST, parents: Parents, defined: dict[str, ast.FunctionDef]
) -> bool:
    """Whether `parent` takes `node` for a text that is marked, or English in every language."""
    match parent:
        case ast.Expr():
            return isinstance(node, ast.Constant | ast.JoinedStr)  # a docstring
        case ast.Assert(msg=msg):
            return node is msg
        case ast.Call(func=func):
            if node is func:
                return False
            name = _name(func)
            return (
                name in MARKERS
                or name in ENGLISH_CALLS
                or _root(func) in LOGS
                or _root(func) == "re"
                or _parameter(node, parent, defined) in ENGLISH_ARGUMENTS
            )
        case ast.keyword(arg=arg):
            call = parents[parent]
            of_a_form = isinstance(call, ast.Call) and _root(call.func) == "forms"
            return arg in ENGLISH_ARGUMENTS and not of_a_form
        case ast.Compare() | ast.MatchValue():
            return True  # what is looked for, not what is said
        case ast.Subscript(slice=key):
            return node is key
        case ast.Dict(keys=keys, values=values):
            if node in keys:
                return True
            keyed = keys[values.index(node)]  # type: ignore[arg-type]
            return _is_header(keyed) or (_is(keyed, "description") and any(_is(one, "type") for one in keys))
        case ast.arg() | ast.AnnAssign(annotation=ast.AST()) if node is getattr(parent, "annotation", None):
            return True
        case ast.FunctionDef(returns=returns) if node is returns:
            return True
        case ast.FunctionDef(name="__repr__"):
            return True
        case ast.ClassDef():
            return (
                isinstance(node, ast.FunctionDef)
                and node.name == "__str__"
                and all(_name(base) in _PLAIN_BASES for base in parent.bases)
            )
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return bool(ENGLISH_NAMES.fullmatch(name))
        case ast.Assign(targets=[ast.Subscript(slice=key)]):
            return _is_header(key)
    return False


def _parameter(node: ast.AST, call: ast.Call, defined: dict[str, ast.FunctionDef]) -> str:
    """By what name a function of the same module takes it."""
    function = defined.get(_name(call.func))
    if function is None or node not in call.args:
        return ""
    place = call.args.index(node)
    return function.args.args[place].arg if place < len(function.args.args) else ""


def _is(key: ast.AST | None, value: str) -> bool:
    """A schema of the API's document has a description beside its type."""
    return isinstance(key, ast.Constant) and key.value == value


def _is_header(key: ast.AST | None) -> bool:
    return isinstance(key, ast.Constant) and bool(_HEADER.fullmatch(str(key.value)))


def _not_plain(path: str, call: ast.Call) -> Iterator[Finding]:
    """A message is a literal, or nobody can extract it. A variable is what was marked elsewhere."""
    for given in call.args[:3]:
        composed = isinstance(given, ast.JoinedStr | ast.BinOp | ast.BoolOp | ast.IfExp) or (
            isinstance(given, ast.Call) and _name(given.func) == "format"
        )
        if composed and any(_is_text(part) for part in ast.walk(given)):
            yield Finding(path, given.lineno, ast.unparse(given), GLUED)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _exempted(node: ast.AST, above: list[ast.AST], exempt: frozenset[int]) -> bool:
    """By a comment on its lines, or on the first line of its statement, or above either."""
    statement = next(one for one in above if isinstance(one, ast.stmt))
    first, last = node.lineno, node.end_lineno or node.lineno  # type: ignore[attr-defined]
    around = {*range(first - 1, last + 1), statement.lineno - 1, statement.lineno}
    return bool(exempt & around)


def _name(func: ast.AST) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _root(func: ast.AST) -> str:
    while isinstance(func, ast.Attribute | ast.Call):
        func = func.value if isinstance(func, ast.Attribute) else func.func
    return func.id if isinstance(func, ast.Name) else ""
