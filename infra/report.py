"""What the command line shows of a case: progress, refused files, the differential count."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from infra.client import Case, Client, Uploaded

_LINE_EVERY_S = 5.0


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
        elif time.monotonic() - self._said_at >= _LINE_EVERY_S:
            self._say()

    def add(self, more: int) -> None:
        self.set(self._done + more, self._total)

    def _say(self) -> None:
        self._said_at = time.monotonic()
        self._console.print(f"{self._what}: {self._done} of {self._total}")


def upload(client: Client, case: Case, files: Sequence[Path], console: Console) -> Uploaded:
    """Upload files to a case, showing how far it is."""
    with Meter(console, "Uploading", len(files)) as meter:
        return client.upload(case, files, meter.add)


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


def not_taken(files: Sequence[tuple[str, str]]) -> Table:
    """A table of files that were not taken, each (name, reason)."""
    table = Table("file", "reason", title="Not taken", title_justify="left")
    for name, reason in files:
        table.add_row(escape(name), escape(reason))
    return table


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
