"""What the command line shows of a case."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from infra import report
from infra.client import Case
from infra.demo.run import accuracy


def shown(*what: object) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(*what)
    return console.file.getvalue()  # type: ignore[attr-defined]


def row(
    name: str, count: int, percent: float | None, low: float | None = None, high: float | None = None
) -> Any:
    return {"name": name, "count": count, "percent": percent, "low": low, "high": high}


def case(**differential: Any) -> Case:
    return Case("1", "[bold]A-1", {"received": 0}, differential)


def test_the_differential_has_counts_percentages_and_intervals() -> None:
    text = shown(
        report.differential(
            case(
                white_cells=[row("Neutrophil", 60, 60.0, 50.2, 69.1), row("Monocyte", 0, 0.0, 0.0, 3.7)],
                others=[row("Erythroblast (NRBC)", 3, 3.0), row("Platelet", 7, None)],
                wbc_count=100,
                unidentified=4,
            )
        )
    )
    assert "[bold]A-1" in text
    (neutrophils,) = [line.split("│") for line in text.splitlines() if "Neutrophil" in line]
    assert [part.strip() for part in neutrophils[2:5]] == ["60", "60.0", "50.2 – 69.1"]
    assert "3.0 per 100 WBC" in text
    assert [line for line in text.splitlines() if "Unidentified" in line and " 4 " in line]


def test_nothing_is_divided_by_no_cells() -> None:
    rows = [row("Neutrophil", 0, None)]
    text = shown(report.differential(case(white_cells=rows, others=[], wbc_count=0, unidentified=0)))
    assert "None" not in text


def test_names_from_outside_are_not_markup() -> None:
    assert "[red]x.jpg" in shown(report.not_taken([("[red]x.jpg", "[/] is empty")]))


def test_a_meter_says_lines_where_there_is_no_terminal() -> None:
    console = Console(file=io.StringIO())
    with report.Meter(console, "Uploading", 3) as meter:
        meter.add(1)
        meter.add(2)
    assert console.file.getvalue() == "Uploading: 3 of 3\n"  # type: ignore[attr-defined]


def outcome(folder: str, cell_class: str, status: str = "classified") -> tuple[Path, dict[str, Any]]:
    return Path(folder) / "1.jpg", {"status": status, "cell_class": cell_class}


def test_accuracy_counts_the_unidentified_apart() -> None:
    outcomes = [
        outcome("neutrophil", "neutrophil"),
        outcome("neutrophil", "neutrophil"),
        outcome("monocyte", "lymphocyte"),
        outcome("monocyte", "unidentified"),
        outcome("somewhere", "monocyte"),
        outcome("monocyte", "monocyte", status="failed"),
    ]
    assert accuracy(outcomes) == (
        "Accuracy: 66.7 % right (2 of the 3 that the model named); 1 of 4 left Unidentified for a person."
    )


def test_without_class_folders_there_is_no_accuracy() -> None:
    assert accuracy([outcome("images", "monocyte")]) is None


def test_a_model_that_names_nothing_has_no_accuracy_to_show() -> None:
    assert accuracy([outcome("monocyte", "unidentified")]) == (
        "Accuracy: the model named none of the 1; all are left Unidentified for a person."
    )
