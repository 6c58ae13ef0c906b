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
from infra.language import _


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

    def __exit__(self, *_: object) -> None:
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
            _("%(_what)s: %(_done)s of %(_total)s")
            % {"_what": self._what, "_done": self._done, "_total": self._total}
        )


def upload(
    client: Client, case: Case, files: Sequence[Path], console: Console, *, again: bool = False
) -> Uploaded:
    """Upload files to a case, showing how far it is."""
    with Meter(console, "Uploading", len(files)) as meter:
        return client.upload(case, files, meter.add, again=again)


def wait(client: Client, case: Case, console: Console) -> Case:
    """Wait until nothing in a case waits for the model, showing how far it is and what the server says."""
    said = set()
    with Meter(console, "Classifying", case.progress["total"]) as meter:

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
            self.twins.append((name, f"the same picture as {_named(uploaded.same_as[path], place)}"))
        elif path in uploaded.refused:
            self.not_taken.append((name, uploaded.refused[path]))
        elif had and had.status == "refused":
            self.before.append((name, had.reason or had.status))
        elif had and had.status == "failed":
            self.not_taken.append((name, f"{had.reason} The page of the case has it tried again."))
        elif reason and reason["code"] == "duplicate":
            self.twins.append((name, reason["message"]))
        elif reason:
            self.not_taken.append((name, reason["message"]))
        elif had and had.name != name_of(path):
            self.twins.append((name, f"the same picture as {had.name}, which the case has"))
        elif had:
            self.present.append(name)
        else:
            self.sent.append(name)

    def print(self, console: Console) -> None:
        """Say how many files there are of each kind, and name each that is not counted."""
        listed = {
            "the same as another": self.twins,
            "refused before": self.before,
            "left out": self.left_out,
            "not taken": self.not_taken,
        }
        counts = {"uploaded": len(self.sent), "in the case already": len(self.present)}
        counts |= {kind: len(files) for kind, files in listed.items()}
        total = sum(counts.values())
        said = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n)
        console.print(f"{total} {'file' if total == 1 else 'files'}: {said}.", soft_wrap=True)
        for kind, files in listed.items():
            if files:
                console.print(f"{kind.capitalize()}:", style="bold")
            for name, reason in files:
                console.print(f"  {name}  {reason}", soft_wrap=True, markup=False)


def _named(path: Path, place: Path) -> str:
    """A path as seen from the folder that was given, as it can be printed."""
    return shown(path.relative_to(place) if path != place and path.is_relative_to(place) else Path(path.name))


def differential(case: Case) -> Table:
    """The case's differential count as a table."""
    counts = case.differential or {}
    table = Table(title=f"Differential count of {escape(case.accession)}", title_justify="left")
    table.add_column("class")
    for heading in ("count", "%", "95 % interval"):
        table.add_column(heading, justify="right")
    for row in counts["white_cells"]:
        table.add_row(row["name"], str(row["count"]), _number(row["percent"]), _interval(row))
    table.add_section()
    table.add_row("White cells counted", str(counts["wbc_count"]))
    for row in counts["others"]:
        per = "" if row["percent"] is None else f"{row['percent']:.1f} per 100 WBC"
        table.add_row(row["name"], str(row["count"]), "", per)
    table.add_row("Unidentified, to be looked at", str(counts["unidentified"]))
    return table


def _interval(row: dict[str, Any]) -> str:
    return "" if row["low"] is None else f"{row['low']:.1f} – {row['high']:.1f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
