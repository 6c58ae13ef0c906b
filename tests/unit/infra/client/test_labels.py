"""Labels made elsewhere, matched with the cells of a case."""

from pathlib import Path
from typing import Any

import pytest

from infra.client import labels
from infra.client.errors import ClientError
from infra.client.labels import Label, Labels, gestures, match, not_decided, read

CLASSES = [
    {"code": "neutrophil", "name": "Neutrophiler", "short": "NTR"},
    {"code": "immature_granulocyte", "name": "Immature granulocyte", "short": "IG"},
    {"code": "other", "name": "Other", "short": "OTH"},
]
IMAGES: list[dict[str, Any]] = [
    {"name": "a.jpg", "cell_ids": [11]},
    {"name": "b.jpg", "cell_ids": [12]},
    {"name": "two.jpg", "cell_ids": [13, 14]},
    {"name": "none.jpg", "cell_ids": []},
    {"name": "twin.jpg", "cell_ids": [15]},
    {"name": "twin.jpg", "cell_ids": [16]},
]


def file(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "labels.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def found(*rows: tuple[str, ...]) -> Labels:
    return match([(line, list(row)) for line, row in enumerate(rows, 1)], IMAGES, CLASSES)


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg,neutrophil\nb.jpg,other\n",
        "file,class\r\na.jpg,neutrophil\r\nb.jpg,other\r\n",
        "\ufefffile;class\n a.jpg ; neutrophil\n\nb.jpg;other",
        "a.jpg\tneutrophil\nb.jpg\tother",
        'Filename,Class\n"a.jpg","neutrophil"\nb.jpg,other\n,\n',
        "\n\na.jpg;neutrophil\nb.jpg;other",
        "a.jpg,neutrophil\rb.jpg,other\r",
    ],
)
def test_a_list_is_read_as_programs_write_it(tmp_path: Path, text: str) -> None:
    rows = read(file(tmp_path, text))
    assert [row for _, row in rows] == [["a.jpg", "neutrophil"], ["b.jpg", "other"]]


@pytest.mark.parametrize("line", ['"Wed, 4 Nov.jpg";neutrophil', "Wed, 4 Nov.jpg;neutrophil"])
def test_a_comma_in_a_name_parts_nothing(tmp_path: Path, line: str) -> None:
    assert read(file(tmp_path, line)) == [(1, ["Wed, 4 Nov.jpg", "neutrophil"])]


def test_a_name_is_known_however_its_letters_are_written() -> None:
    images = [{"name": "Ma\u0308rz.jpg", "cell_ids": [17]}]
    assert match([(1, ["M\xe4rz.jpg", "other"])], images, CLASSES).found == [Label(1, 17, "other")]


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    assert [line for line, _ in read(file(tmp_path, "file,class\n\na.jpg,x\n\nb.jpg,y"))] == [3, 5]


@pytest.mark.parametrize("text", [b"a.jpg,\xff\xfe", 'a.jpg,"' + "x" * 200_000])
def test_what_is_no_list_is_said(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(ClientError):
        read(file(tmp_path, text))


def test_what_is_too_large_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "LARGEST", 10)
    with pytest.raises(ClientError, match="too large"):
        read(file(tmp_path, "a.jpg,neutrophil"))


@pytest.mark.parametrize("said", ["neutrophil", "Neutrophil", "NEU", "neu", "ntr", "NEUTROPHILER"])
def test_a_class_is_known_by_code_name_and_short_name(said: str) -> None:
    assert found(("folder\\sub/a.jpg", said)).found == [Label(1, 11, "neutrophil")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("nothing.jpg", "neutrophil"), "The case has no file “nothing.jpg”."),
        (("twin.jpg", "neutrophil"), "The case has several files “twin.jpg”."),
        (("two.jpg", "neutrophil"), "“two.jpg” shows several cells, and the line does not say which."),
        (("none.jpg", "neutrophil"), "“none.jpg” has no cell: it is not classified."),
        (("a.jpg", "neutrophyl"), "There is no class “neutrophyl”."),
        (("a.jpg", "–"), "There is no class “–”."),
        (("a.jpg", "Blast"), "The lab does not use the class “Blast”."),
        (("a.jpg",), "The line has no file or no class."),
        (("", "neutrophil"), "The line has no file or no class."),
        (("b.jpg", "other"), "The file is named twice: line 1 has it already."),
        (("a.jpg", "neutrophil", "odd"), "The line has words, which only the class “other” takes."),
        (("a.jpg", "other", "x" * 201), "The words are longer than 200 characters."),
        (("a.jpg", "other", "hid\x07den"), "A character in the words cannot be seen."),
    ],
)
def test_each_problem_has_its_line(row: tuple[str, ...], reason: str) -> None:
    result = found(("b.jpg", "neutrophil"), row)
    assert [(problem.line, problem.reason) for problem in result.problems] == [(2, reason)]
    assert result.found == [Label(1, 12, "neutrophil")]


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg,other,like  a hairy cell \nb.jpg,other\n",
        "file;class;words\na.jpg;other;like a hairy cell\nb.jpg;other;",
        "file,class,confidence,Words\na.jpg,other,0.5,like a hairy cell\nb.jpg,other,0.9,",
    ],
)
def test_words_of_what_is_other_are_sent(tmp_path: Path, text: str) -> None:
    result = match(read(file(tmp_path, text)), IMAGES, CLASSES)
    assert not result.problems
    ((_, sent),) = gestures(result.found, 0)
    assert sent["decisions"] == [
        {"cell": 11, "class": "other", "words": "like a hairy cell"},
        {"cell": 12, "class": "other"},
    ]


def test_columns_that_a_list_has_besides_are_no_words(tmp_path: Path) -> None:
    rows = read(file(tmp_path, "file,class,confidence\na.jpg,neutrophil,0.93\nb.jpg,other,0.41"))
    assert [label.words for label in match(rows, IMAGES, CLASSES).found] == ["", ""]


def test_words_are_in_no_text_of_a_label() -> None:
    assert "Ada" not in f"{Label(1, 11, 'other', 'like those of Ada')}"


def test_each_run_has_gestures_of_its_own_that_know_of_a_revision() -> None:
    """A list that is sent again after something was decided must be decided anew, not known from before; and
    what another run decided stays as it is."""
    found = [Label(line, line, "other") for line in range(2001)]
    once, again = list(gestures(found, 7)), list(gestures(found, 7))
    assert [label for batch, _ in once for label in batch] == found
    for batch, gesture in once:
        assert gesture["base_revision"] == 7
        assert gesture["decisions"] == [{"cell": label.cell, "class": "other"} for label in batch]
    sent = [gesture for _, gesture in (*once, *again)]
    assert len({gesture["gesture"] for gesture in sent}) == 6
    assert [len({gesture["client"] for gesture in sent[:n]}) for n in (3, 6)] == [1, 2]


def test_what_was_decided_otherwise_is_a_problem_before_it_is_sent() -> None:
    batch = [Label(3, 11, "neutrophil"), Label(4, 12, "other"), Label(5, 13, "other")]
    decided = {11: ("neutrophil", "Olga"), 12: ("blast", "Olga")}
    assert labels.otherwise(batch, decided, {"blast": "Blast"}) == [
        labels.Problem(4, "It stays as it is: Olga decided that it is “Blast”.")
    ]


def test_batches_are_as_large_as_the_server_takes() -> None:
    many = [Label(line, line, "other") for line in range(2001)]
    assert [len(batch) for batch in labels.batches(many)] == [1000, 1000, 1]


def test_what_somebody_else_decided_is_a_problem_where_it_is_otherwise() -> None:
    batch = [Label(3, 11, "neutrophil"), Label(4, 12, "other"), Label(5, 13, "other")]
    answer = {
        "people": {"7": "Olga"},
        "conflicts": [
            {"cell": 11, "class": "other", "by": 7},
            {"cell": 12, "class": "other", "by": 7},
            {"cell": 13, "class": None, "by": 7},
        ],
    }
    problems = not_decided(batch, answer, {"other": "Other"})
    assert [(problem.line, problem.reason) for problem in problems] == [
        (3, "It stays as it is: Olga decided that it is “Other”."),
        (5, "It stays as it is: Olga took back what was decided."),
    ]
