"""Ranges as CSV, and the set that comes with the product."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.hematology.coverage import SEXES, Span, faults
from webapp.ranges.tables import MOST_ROWS, InvalidTable, lines, parse, shipped
from webapp.ranges.values import Values

HEADING = "class,quantity,sex,age_from_days,age_to_days,low,high,critical_low,critical_high,source\n"
ROW = 'neutrophil,absolute,any,0,,1.8,7.7,,,"A book, page 3"\n'


def errors_of(text):
    with pytest.raises(InvalidTable) as caught:
        parse(text)
    return [(one.line, one.column) for one in caught.value.errors]


def test_a_table_comes_back_as_it_went_out():
    rows = parse(HEADING + ROW + "lymphocyte,percent,female,0,,16,47,,,B\n")
    assert parse("".join(lines(rows))) == rows
    assert rows[0].source == "A book, page 3"


@pytest.mark.parametrize("sign", [";", "\t"])
def test_spreadsheets_write_other_signs_between_columns(sign):
    (row,) = parse("class;quantity;low;high;source\nbasophil;absolute;;0.1;A\n".replace(";", sign))
    assert (row.cell_class, row.low, row.sex, row.age_to_days) == ("basophil", None, "any", None)


def test_what_is_wrong_is_said_by_line_and_column():
    text = f"# a note\n{HEADING}{ROW}dragon,absolute,any,0,,x,2,,,A\n\nneutrophil,absolute\n"
    assert errors_of(text) == [(4, "class"), (4, "low"), (6, "")]


@pytest.mark.parametrize(
    "text", ["", "\n# only a note\n", HEADING, "class,quantity\n", HEADING.replace("sex", "gender") + ROW]
)
def test_what_is_no_table_is_said_to_be_none(text):
    assert len(errors_of(text)) == 1


def test_a_table_has_an_end():
    assert errors_of(HEADING + ROW * (MOST_ROWS + 1)) == [(1, "")]


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_a_table_or_named(text):
    with suppress(InvalidTable):
        assert parse(HEADING + text)


def test_no_formula_leaves_with_a_source():
    (row,) = parse(HEADING + 'basophil,absolute,any,0,,,0.1,,,"=HYPERLINK(1)"\n')
    assert "'=HYPERLINK" in "".join(lines([row]))


def by_group():
    found: dict[tuple[str, str], list[Values]] = {}
    for row in shipped():
        found.setdefault((row.cell_class, row.quantity), []).append(row)
    return found


@given(age=st.integers(0, 45_000), sex=st.sampled_from(SEXES))
def test_of_the_shipped_set_every_age_has_exactly_one_row(age, sex):
    for rows in by_group().values():
        spans = [Span(row.sex, row.age_from_days, row.age_to_days) for row in rows]
        assert not faults(spans)
        assert sum(span.is_of(sex) and span.holds(age) for span in spans) == 1


def test_every_shipped_row_names_its_source_and_no_critical_limit():
    assert len(shipped()) == 35
    for row in shipped():
        assert ".com" in row.source or ".org" in row.source
        assert row.critical_low is row.critical_high is None
