"""What the command line shows of an upload and its case: progress, what became of each file, the count."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from infra.client.client import Case, Client
from infra.client.files import Given, name_of, shown
from infra.client.limits import LINE_EVERY_S
from infra.client.upload import Uploaded
from infra.language import _, ngettext
from infra.language.numbers import decimal


class Meter:
    """How far something is: a bar on a terminal, a line every few seconds elsewhere."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        self._console, self._what, self._total = console, what, total
        self._done, self._said_at = 0, time.monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> "Meter":
        if self._console.is_terminal:
            columns = (TextColumn(self._what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._bar:
            self._bar.stop()
        else:
            self._say()

    def set(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        if self._bar:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() - self._said_at >= LINE_EVERY_S:
            self._say()

    def add(self, more: int) -> None:
        self.set(self._done + more, self._total)

    def _say(self) -> None:
        self._said_at = time.monotonic()
        self._console.print(
            _("%(what)s: %(done)s of %(total)s")
            % {"what": self._what, "done": self._done, "total": self._total}
        )


def upload(
    client: Client,
    case: Case,
    files: Sequence[Path],
    console: Console,
    *,
    again: bool = False,
    slide: int | None = None,
    replaces: int | None = None,
) -> Uploaded:
    """Upload files to a case, showing how far it is."""
    with Meter(console, _("Uploading"), len(files)) as meter:
        return client.upload(case, files, meter.add, again=again, slide=slide, replaces=replaces)


def wait(client: Client, case: Case, console: Console) -> Case:
    """Wait until nothing in a case waits for the model, showing how far it is and what the server says."""
    said = set()
    with Meter(console, _("Classifying"), case.progress["total"]) as meter:

        def show(now: Case) -> None:
            meter.set(now.progress["total"] - now.progress["received"], now.progress["total"])
            if now.model_notice and now.model_notice not in said:
                said.add(now.model_notice)
                console.print(escape(now.model_notice), style="yellow")

        return client.wait(case.id, show)


@dataclass
class Summary:
    """What became of every file given: each is in one of the lists, by its name, with the reason if any.

    Attributes:
        sent: files that arrived and were handed over.
        present: files whose bytes the case had under their name.
        twins: files with the same bytes as another, which the reason names.
        before: files that the case had refused before.
        not_taken: files that were refused, failed, or could not be read or sent.
        left_out: what was not sent at all.
        is_whole: whether nothing that may be a cell is missing.
    """

    sent: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    twins: list[tuple[str, str]] = field(default_factory=list)
    before: list[tuple[str, str]] = field(default_factory=list)
    not_taken: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    is_whole: bool = True

    @classmethod
    def of(cls, place: Path, given: Given, uploaded: Uploaded, judged: Iterable[dict[str, Any]]) -> "Summary":
        """Summary for an upload.

        Args:
            place: where the files were given; they are named as seen from there.
            judged: what the API says of images that are refused or failed now.
        """
        summary = cls(left_out=[(_named(left.path, place), left.reason) for left in given.left_out])
        reasons = {image["id"]: image["reason"] for image in judged}
        for path in given.files:
            summary._add(path, place, uploaded, reasons.get(uploaded.ids.get(path, -1)))
        summary.is_whole = not summary.not_taken and not any(left.is_loss for left in given.left_out)
        return summary

    def _add(self, path: Path, place: Path, uploaded: Uploaded, reason: dict[str, str] | None) -> None:
        name, had = _named(path, place), uploaded.already.get(path)
        if path in uploaded.unsent:
            self.not_taken.append((name, uploaded.unsent[path]))
        elif path in uploaded.same_as:
            other = _named(uploaded.same_as[path], place)
            self.twins.append((name, _("the same picture as %(other)s") % {"other": other}))
        elif path in uploaded.refused:
            self.not_taken.append((name, uploaded.refused[path]))
        elif had and had.status == "refused":
            self.before.append((name, had.reason or had.status))
        elif had and had.status == "failed":
            again = _("%(reason)s The page of the case has it tried again.") % {"reason": had.reason}
            self.not_taken.append((name, again))
        elif reason and reason["code"] == "duplicate":
            self.twins.append((name, reason["message"]))
        elif reason:
            self.not_taken.append((name, reason["message"]))
        elif had and had.name != name_of(path):
            same = _("the same picture as %(other)s, which the case has") % {"other": had.name}
            self.twins.append((name, same))
        elif had:
            self.present.append(name)
        else:
            self.sent.append(name)

    def print(self, console: Console) -> None:
        """Say how many files there are of each kind, and name each that is not counted."""
        sent, present, twins = len(self.sent), len(self.present), len(self.twins)
        before, left_out, not_taken = len(self.before), len(self.left_out), len(self.not_taken)
        said = (
            (ngettext("%(n)s uploaded", "%(n)s uploaded", sent), sent),
            (ngettext("%(n)s in the case already", "%(n)s in the case already", present), present),
            (ngettext("%(n)s the same as another", "%(n)s the same as another", twins), twins),
            (ngettext("%(n)s refused before", "%(n)s refused before", before), before),
            (ngettext("%(n)s left out", "%(n)s left out", left_out), left_out),
            (ngettext("%(n)s not taken", "%(n)s not taken", not_taken), not_taken),
        )
        total = sum(n for _text, n in said)
        counts = ", ".join(text % {"n": n} for text, n in said if n)
        console.print(
            ngettext("%(total)s file: %(counts)s.", "%(total)s files: %(counts)s.", total)
            % {"total": total, "counts": counts},
            soft_wrap=True,
        )
        listed = (
            (_("The same as another:"), self.twins),
            (_("Refused before:"), self.before),
            (_("Left out:"), self.left_out),
            (_("Not taken:"), self.not_taken),
        )
        for heading, files in listed:
            if files:
                console.print(heading, style="bold")
            for name, reason in files:
                console.print(f"  {name}  {reason}", soft_wrap=True, markup=False)


def _named(path: Path, place: Path) -> str:
    """A path as seen from the folder that was given, as it can be printed."""
    return shown(path.relative_to(place) if path != place and path.is_relative_to(place) else Path(path.name))


def differential(case: Case) -> Table:
    """What is suggested of the case's undecided cells, as a table."""
    counts = case.differential or {}
    title = _("Suggested differential of %(accession)s") % {"accession": escape(case.accession)}
    table = Table(title=title, title_justify="left")
    table.add_column(_("class"))
    interval = _("%(percent)s %% interval") % {"percent": 95}
    for heading in (_("count"), "%", interval):
        table.add_column(heading, justify="right")
    for row in counts["white_cells"]:
        table.add_row(row["name"], str(row["count"]), _number(row["percent"]), _interval(row))
    table.add_section()
    table.add_row(_("White cells counted"), str(counts["wbc_count"]))
    for row in counts["others"]:
        percent = row["percent"]
        per = "" if percent is None else _("%(cells)s per 100 WBC") % {"cells": decimal(percent)}
        table.add_row(row["name"], str(row["count"]), "", per)
    table.add_row(_("Unidentified, to be looked at"), str(counts["unidentified"]))
    return table


def both_differentials(case: Case, reading: dict[str, Any] | None) -> list[Table]:
    """Both differentials as tables; before a reading is opened, the suggested one."""
    if reading is None:
        return [differential(case)]
    both = reading["differential"]
    shown = {"accession": escape(case.accession)}
    suggested = _sheet(_("Suggested differential of %(accession)s") % shown, both["suggested"])
    suggested.add_row(_("Unidentified, to be looked at"), str(both["unidentified"]))
    reviewed = _sheet(_("Reviewed differential of %(accession)s") % shown, both["reviewed"])
    reviewed.add_row(_("Not classed, in no count"), str(both["not_classed"]))
    reviewed.add_row(_("Undecided, in no count"), str(both["undecided"]))
    return [suggested, reviewed]


def results(case: Case, versions: list[dict[str, Any]]) -> list[Table]:
    """Each version of a case's result with its signatures."""
    tables = []
    for one in versions:
        shown = {"accession": escape(case.accession), "version": one["version"], "status": one["status"]}
        title = _("Result of %(accession)s, version %(version)s: %(status)s") % shown
        table = Table(title=title, title_justify="left", caption=f"SHA-256 {one['sha256']}")
        for heading in (_("signed by"), _("role"), _("meaning"), _("when"), _("by")):
            table.add_column(heading)
        for signature in one["signatures"]:
            cells = (signature[name] for name in ("name", "role", "meaning", "at", "method"))
            table.add_row(*map(escape, cells))
        tables.append(table)
    return tables


def _sheet(title: str, sheet: dict[str, Any]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(_("class"))
    for heading in (_("count"), "%", _("95 % interval")):
        table.add_column(heading, justify="right")
    for in_wbc in (True, False):
        for row in sheet["rows"]:
            if row["in_wbc"] != in_wbc:
                continue
            if in_wbc:
                table.add_row(row["name"], str(row["count"]), _number(row["percent"]), _interval(row))
                continue
            per = row["percent"]
            said = "" if per is None else _("%(rate)s per 100 WBC") % {"rate": _number(per)}
            table.add_row(row["name"], str(row["count"]), "", said)
        table.add_section()
        if in_wbc:
            table.add_row(_("White cells counted"), str(sheet["wbc_count"]))
    return table


def _interval(row: dict[str, Any]) -> str:
    return "" if row["low"] is None else f"{decimal(row['low'])} – {decimal(row['high'])}"


def _number(value: float | None) -> str:
    return "" if value is None else decimal(value)
