"""What the command line shows of a case."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from infra.client import report
from infra.client.client import Case
from infra.client.files import Given, LeftOut
from infra.client.upload import Already, Uploaded
from infra.demo.run import accuracy


def shown(*what: object) -> str:
    file = io.StringIO()
    Console(file=file, width=120).print(*what)
    return file.getvalue()


def printed(account: report.Summary) -> str:
    file = io.StringIO()
    account.print(Console(file=file, width=40))
    return file.getvalue()


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
    place = Path("slides")
    path = place / "[red]x.jpg"
    account = report.Summary.of(place, Given([path]), Uploaded(unsent={path: "[/] is empty"}), [])
    assert "  [red]x.jpg  [/] is empty\n" in printed(account)


def test_a_meter_says_lines_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    with report.Meter(Console(file=file), "Uploading", 3) as meter:
        meter.add(1)
        meter.add(2)
    assert file.getvalue() == "Uploading: 3 of 3\n"


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


def test_every_file_is_accounted_for_once_by_name_and_reason() -> None:
    place = Path("slides")
    names = ["new", "had", "had-as-other", "had-refused", "twin", "empty", "gone", "grey", "dup", "failed"]
    paths = {name: place / "sub" / f"{name}.jpg" for name in names}
    left_out = [
        LeftOut(place / "notes.txt", "not a picture", is_loss=False),
        LeftOut(place / "locked", "the folder cannot be read: Permission denied", is_loss=True),
    ]
    uploaded = Uploaded(
        ids={path: number for number, path in enumerate(paths.values()) if path.stem != "gone"},
        already={
            paths["had"]: Already("had.jpg", "classified"),
            paths["had-as-other"]: Already("cell 7.jpg", "received"),
            paths["had-refused"]: Already("had-refused.jpg", "refused", "No colour."),
            paths["failed"]: Already("failed.jpg", "failed", "It broke."),
        },
        same_as={paths["twin"]: paths["new"]},
        refused={paths["empty"]: "Empty."},
        unsent={paths["gone"]: "No such file."},
    )
    ids = {path.stem: number for path, number in uploaded.ids.items()}
    judged = [
        {"id": ids["grey"], "reason": {"code": "no_colour", "message": "Grey."}},
        {"id": ids["dup"], "reason": {"code": "duplicate", "message": "The same as x.jpg."}},
        {"id": 99, "reason": {"code": "empty", "message": "Somebody else's."}},
    ]
    text = printed(report.Summary.of(place, Given(list(paths.values()), left_out), uploaded, judged))
    first, *lines = text.splitlines()
    kinds = first.removeprefix("12 files: ").removesuffix(".").split(", ")
    assert kinds == [
        "1 uploaded",
        "1 in the case already",
        "3 the same as another",
        "1 refused before",
        "2 left out",
        "4 not taken",
    ]
    assert lines == [
        "The same as another:",
        "  sub/had-as-other.jpg  the same picture as cell 7.jpg, which the case has",
        "  sub/twin.jpg  the same picture as sub/new.jpg",
        "  sub/dup.jpg  The same as x.jpg.",
        "Refused before:",
        "  sub/had-refused.jpg  No colour.",
        "Left out:",
        "  notes.txt  not a picture",
        "  locked  the folder cannot be read: Permission denied",
        "Not taken:",
        "  sub/empty.jpg  Empty.",
        "  sub/gone.jpg  No such file.",
        "  sub/grey.jpg  Grey.",
        "  sub/failed.jpg  It broke. The page of the case has it tried again.",
    ]


def test_what_was_refused_before_or_is_no_picture_leaves_nothing_to_do() -> None:
    path = Path("a/b.jpg")
    uploaded = Uploaded(ids={path: 1}, already={path: Already("b.jpg", "refused", "Grey.")})
    harmless = LeftOut(Path("a/notes.txt"), "not a picture", is_loss=False)
    loss = LeftOut(Path("a/slide"), "a link", is_loss=True)
    judged = [{"id": 1, "reason": {"code": "no_colour", "message": "Grey."}}]
    assert report.Summary.of(Path("a"), Given([path], [harmless]), uploaded, judged).is_whole
    assert not report.Summary.of(Path("a"), Given([path], [loss]), uploaded, judged).is_whole
    assert not report.Summary.of(Path("a"), Given([path]), Uploaded(ids={path: 1}), judged).is_whole


def test_one_file_is_named_by_its_name() -> None:
    path = Path("far/away/b.jpg")
    assert report.Summary.of(path, Given([path]), Uploaded(ids={path: 1}), []).sent == ["b.jpg"]
