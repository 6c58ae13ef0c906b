"""A result's document as people read it: labels and values in their language, and nothing from elsewhere."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from webapp.cases.models import Priority
from webapp.cases.specimens import FACTS, TEXTS, Slide, Specimen
from webapp.hematology.classes import BY_CODE
from webapp.hematology.remarks import SUBJECTS, TERMS, WORDS
from webapp.inference.selectors import class_name
from webapp.language.dates import moment
from webapp.patients.identifiers import LABELS, Sex
from webapp.ranges.wording import normal
from webapp.results.interpretation import Correction, NoRange, UsedRange
from webapp.review.models import Disagreement, RuleAnswer
from webapp.rules.conditions import Then, read_all
from webapp.rules.wording import sentence

Facts = list[tuple[str, Any]]
FLAGS = {
    "L": gettext_lazy("below the range"),
    "H": gettext_lazy("above the range"),
    "LL": gettext_lazy("critically low"),
    "HH": gettext_lazy("critically high"),
    "A": gettext_lazy("abnormal"),
}
PARTS = {
    "amends": gettext_lazy("Amendment"),
    "analyser": gettext_lazy("Analyser's count"),
    "case": gettext_lazy("Case"),
    "cells": gettext_lazy("Number of cells"),
    "files": gettext_lazy("Files"),
    "flags": gettext_lazy("Flags"),
    "lab": gettext_lazy("Laboratory"),
    "models": gettext_lazy("Model"),
    "others": gettext_lazy("Other cells"),
    "patient": gettext_lazy("Patient"),
    "remarks": gettext_lazy("Remarks"),
    "rules": gettext_lazy("Rules"),
    "second_readings": gettext_lazy("Second reader"),
    "signatures_needed": gettext_lazy("Signatures"),
    "slides": gettext_lazy("Slides"),
    "specimen": gettext_lazy("Specimen"),
    "version": gettext_lazy("Version"),
    "white_cells": gettext_lazy("White cells"),
}
_OF_CODES: dict[str, Any] = {
    "material": Specimen.Material,
    "anticoagulant": Specimen.Anticoagulant,
}


@dataclass(frozen=True, repr=False)
class Flagged:
    code: str
    means: str


@dataclass(frozen=True, repr=False)
class SheetRow:
    name: str
    count: int
    percent: float | None
    low: float | None
    high: float | None
    unit: str | None
    absolute: str
    absolute_interval: str
    range: str
    source: str
    flags: list[Flagged]
    near_limit: bool
    is_total: bool
    is_part: bool
    in_wbc: bool


@dataclass(frozen=True, repr=False)
class SheetRemark:
    subject: str
    text: str
    by: str
    at: str


@dataclass(frozen=True, repr=False)
class SheetRule:
    """A rule that fired. `answer`: how it was met."""

    name: str
    version: int
    sentence: str
    source: str
    answer: str


@dataclass(frozen=True, repr=False)
class SheetReading:
    """How far a second reading agreed. `settled`: what became of the cells on which it differed."""

    said: str
    settled: list[str]


@dataclass(frozen=True, repr=False)
class Sheet:
    values: dict[str, Any]
    patient: Facts
    specimen: Facts
    analyser: Facts
    counted: Facts
    rows: list[SheetRow]
    others: list[tuple[str, int]]
    remarks: list[SheetRemark]
    rules: list[SheetRule]
    second_readings: list[SheetReading]
    files: str
    has_absolute: bool


def sheet_of(values: dict[str, Any]) -> Sheet:
    rows = [_row(row) for row in values["rows"]]
    in_totals = {part for row in values["rows"] for part in row["parts"]}
    rows = [
        SheetRow(**{**vars(shown), "is_part": not row["parts"] and row["class"] in in_totals})
        for row, shown in zip(values["rows"], rows, strict=True)
    ]
    return Sheet(
        values=values,
        patient=_patient(values["patient"]),
        specimen=_specimen(values),
        analyser=_analyser(values),
        counted=_counted(values),
        rows=rows,
        others=[(one["words"], one["cells"]) for one in values["others"]],
        remarks=[_remark(one) for one in values["remarks"]],
        rules=[_rule(one) for one in values["rules"]],
        second_readings=[_second_reading(one) for one in values["second_readings"]],
        files=_files(values["files"]),
        has_absolute=any(row["absolute"] is not None for row in values["rows"]),
    )


def changes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """What differs between two documents, by the hashes of their parts, as people call it."""
    names = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    found = [_part(name) for name in names]
    return list(dict.fromkeys(name for name in found if name))


def _part(name: str) -> str:
    first, _dot, rest = name.partition(".")
    if first == "rows":
        code = rest.partition(".")[0]
        return class_name(code) if code in BY_CODE else ""
    return str(PARTS.get(name, ""))


def _patient(patient: dict[str, Any] | None) -> Facts:
    if not patient:
        return []
    facts: Facts = []
    for name, label in LABELS.items():
        value = patient.get(name)
        if name == "birth_date" and value:
            value = date_format(date.fromisoformat(value), "DATE_FORMAT")
        if name == "sex" and value in Sex.values:
            value = Sex(value).label
        if value:
            facts.append((str(label), value))
    return facts


def _specimen(values: dict[str, Any]) -> Facts:
    facts: Facts = []
    labels = {**FACTS, **TEXTS}
    for name, value in values["specimen"].items():
        if value in (None, "") or name not in labels:
            continue
        if name.endswith("_at"):
            value = at(value)
        elif name in _OF_CODES:
            value = _OF_CODES[name](value).label
        facts.append((str(labels[name]), value))
    if values["case"]["priority"]:
        facts.append((_("Priority"), Priority(values["case"]["priority"]).label))
    for slide in values["slides"]:
        stain = Slide.Stain(slide["stain"]).label if slide["stain"] else ""
        said = ", ".join(filter(None, (slide["label"], str(stain), slide["scanner"])))
        facts.append((_("Slide"), said))
    return facts


def _analyser(values: dict[str, Any]) -> Facts:
    found = values["analyser"]
    facts: Facts = []
    if found:
        numbers = {
            "wbc": _("WBC, 10⁹/L"),
            "haemoglobin": _("Haemoglobin, g/L"),
            "platelets": _("Platelets, 10⁹/L"),
        }
        for name, label in numbers.items():
            if found[name] is not None:
                facts.append((label, number(Decimal(found[name]), 0)))
        facts.append((_("Entered by"), f"{found['entered_by']}, {at(found['entered_at'])}"))
    used = values["white_cells"]
    if used["given"] is not None:
        facts.append((_("White cells"), Correction(used["correction"]).label))
    return facts


def _counted(values: dict[str, Any]) -> Facts:
    cells, reading = values["cells"], values["reading"]
    asked = _("%(n)s (the lab asks for %(required)s)")
    facts: Facts = [
        (_("White cells counted"), asked % {"n": cells["white_cells"], "required": cells["required"]})
    ]
    if cells["reason"]:
        facts.append((_("Signed all the same, because"), cells["reason"]))
    if cells["not_classed"]:
        facts.append((_("Not classed"), cells["not_classed"]))
    people = ", ".join(
        ngettext("%(name)s (%(n)s cell)", "%(name)s (%(n)s cells)", one["cells"])
        % {"name": one["name"], "n": one["cells"]}
        for one in reading["readers"]
    )
    facts.append((_("Read by"), people))
    facts.append((_("Otherwise than suggested"), reading["changed"]))
    models = ", ".join(f"{one['name']} {one['version']}" for one in values["models"])
    facts.append((_("Model"), models))
    return facts


def _remark(one: dict[str, Any]) -> SheetRemark:
    """Of free words that are not to be shown, that there are some."""
    words = one["words"]
    if one["term"] == WORDS:
        text = words if words is not None else _("in words")
    else:
        term = TERMS.get(one["term"])
        text = f"{gettext(term.name) if term else one['term']} {one['grade']}".strip()
        if words:
            text = _("%(remark)s: %(words)s") % {"remark": text, "words": words}
    return SheetRemark(gettext(SUBJECTS[one["subject"]]), text, one["by"], at(one["at"]))


def _rule(one: dict[str, Any]) -> SheetRule:
    try:
        says = sentence(read_all(one["when"]), Then(one["then"]), one["remark"])
    except ValueError:  # of something that rules do not ask any more
        says = one["sentence"]
    return SheetRule(one["name"], one["version"], says, one["source"], _answer(one))


def _answer(rule: dict[str, Any]) -> str:
    """How a rule that fired was met."""
    answer = rule["answer"]
    if answer:
        said = RuleAnswer.Answer(answer["answer"]).label
        return _("%(answer)s, %(by)s, %(at)s") % {"answer": said, "by": answer["by"], "at": at(answer["at"])}
    return _("Read second") if rule["then"] == Then.SECOND_READER else _("Seen by whoever signed")


def _second_reading(one: dict[str, Any]) -> SheetReading:
    kappa = "–" if one["kappa"] is None else number_format(Decimal(one["kappa"]), 2)
    text = ngettext(
        "%(reader)s: %(agreed)s of %(n)s cell alike before anything was settled, Cohen’s κ %(kappa)s.",
        "%(reader)s: %(agreed)s of %(n)s cells alike before anything was settled, Cohen’s κ %(kappa)s.",
        one["cells"],
    )
    said = text % {"reader": one["reader"], "agreed": one["agreed"], "n": one["cells"], "kappa": kappa}
    names = ("first", "second", "settled", "how", "by", "with")
    alike = Counter(tuple(cell[name] for name in names) for cell in one["disagreements"])
    return SheetReading(said, [_settled(*of, n=n) for of, n in alike.items()])


def _settled(first: str, second: str, settled: str, how: str, by: str, other: str | None, *, n: int) -> str:
    """Of cells on which the readings differed in the same way, and that were settled alike."""
    text = ngettext(
        "%(n)s cell, first %(first)s, second %(second)s: settled on %(settled)s. %(how)s: %(people)s.",
        "%(n)s cells, first %(first)s, second %(second)s: settled on %(settled)s. %(how)s: %(people)s.",
        n,
    )
    return text % {
        "n": n,
        "first": _class(first),
        "second": _class(second),
        "settled": _class(settled),
        "how": Disagreement.How(how).label,
        "people": ", ".join(filter(None, (by, other))),
    }


def _class(code: str) -> str:
    """As people call it; a reading may have left a cell undecided."""
    if not code:
        return _("undecided")
    return class_name(code) if code in BY_CODE else code


def _files(files: dict[str, int]) -> str:
    parts = []
    if files["refused"]:
        parts.append(
            ngettext("%(n)s file was refused.", "%(n)s files were refused.", files["refused"])
            % {"n": files["refused"]}
        )
    if files["failed"]:
        parts.append(
            ngettext("%(n)s image failed.", "%(n)s images failed.", files["failed"]) % {"n": files["failed"]}
        )
    return " ".join(parts)


def _row(row: dict[str, Any]) -> SheetRow:
    code = row["class"]
    name = class_name(code) if code in BY_CODE else row["name"]
    if row["parts"]:
        name = _("%(class)s, all") % {"class": name}
    low, high = row["absolute_low"], row["absolute_high"]
    interval = "" if low is None else f"{number(Decimal(low), 2)}–{number(Decimal(high), 2)}"
    judging = [_used(one) for one in row["ranges"]][:1]
    return SheetRow(
        name=name,
        count=row["count"],
        **{one: None if row[one] is None else float(row[one]) for one in ("percent", "low", "high")},
        unit=row["unit"],
        absolute="" if row["absolute"] is None else number(Decimal(row["absolute"]), 2),
        absolute_interval=interval,
        range=normal(judging[0]) if judging else _no_range(row["no_range"]),  # type: ignore[arg-type]
        source=judging[0].source if judging else "",
        flags=[Flagged(flag, str(FLAGS.get(flag, ""))) for flag in row["flags"]],
        near_limit=row["near_limit"],
        is_total=bool(row["parts"]),
        is_part=False,
        in_wbc=row["in_wbc"],
    )


def _no_range(code: str | None) -> str:
    return str(NoRange(code).label) if code in NoRange.values else ""


def _used(found: dict[str, Any]) -> UsedRange:
    limits = ("low", "high", "critical_low", "critical_high")
    decimals = {name: None if found[name] is None else Decimal(found[name]) for name in limits}
    return UsedRange(**{**found, **decimals, "text": ""})


def number(value: Decimal, places: int) -> str:
    """In the reader's language, with as many places as it has, and so many at least."""
    own = max(-int(value.normalize().as_tuple().exponent), 0)  # what is signed is a finite number
    return str(number_format(value, max(places, own), force_grouping=True))


def at(text: str) -> str:
    """A point in time of a document, in the reader's zone."""
    return moment(localtime(datetime.fromisoformat(text)))
