"""What may be asked of the worklist, and what cannot be."""

import pytest

from webapp.worklist.filters import LONGEST_HOURS, NAMES, Wanted, named, parse


def test_what_is_asked_for_comes_back_as_it_was():
    asked = {
        "processing": "done",
        "review": "in_review",
        "priority": "stat",
        "assignee": "me",
        "flag": "HH",
        "older_than": "48",
        "overdue": "1",
        "sort": "priority",
    }
    assert set(asked) == set(NAMES)
    wanted, invalid = parse(asked)
    assert (wanted.query, invalid) == (asked, [])
    assert wanted.narrows == {name: value for name, value in asked.items() if name != "sort"}


def test_nothing_asks_for_nothing():
    assert parse({}) == parse(dict.fromkeys(NAMES, "")) == (Wanted(), [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("processing", "gone"),
        ("review", "half"),
        ("priority", "soon"),
        ("priority", "2"),
        ("assignee", "0"),
        ("assignee", "somebody"),
        ("assignee", "²"),
        ("assignee", "9" * 30),
        ("flag", "X"),
        ("older_than", "0"),
        ("older_than", "1.5"),
        ("older_than", "1,5"),
        ("older_than", str(LONGEST_HOURS + 1)),
        ("overdue", "yes"),
        ("sort", "name"),
    ],
)
def test_what_cannot_be_is_left_out_and_named(name, value):
    wanted, invalid = parse({"review": "open", "flag": "any", name: value})
    assert invalid == [name]
    assert name not in wanted.query
    assert named(invalid)


def test_who_is_not_of_the_lab_any_more_is_left_out_of_a_filter_that_was_kept():
    assert parse({"assignee": "7"}, {7})[1] == []
    assert parse({"assignee": "7"}, {8}) == (Wanted(), ["assignee"])
    assert parse({"assignee": "me"}, set())[1] == parse({"assignee": "nobody"}, set())[1] == []
