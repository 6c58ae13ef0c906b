"""Ranges cover a life: held against counting, day by day, how many are of whom."""

from hypothesis import given
from hypothesis import strategies as st

from webapp.hematology.coverage import ANY, FEMALE, MALE, SEXES, Fault, Span, Wrong, faults

LIFE = 45_000

days = st.integers(0, LIFE)
spans = st.builds(
    lambda sex, start, length: Span(sex, start, None if length is None else start + length),
    st.sampled_from([ANY, FEMALE, MALE]),
    st.sampled_from([0, 1, 30, 730, 4015]),
    st.sampled_from([None, 1, 29, 30, 700, 730, 3285, 4015]),
)


@given(st.lists(spans, max_size=7))
def test_a_day_has_one_range_or_is_in_a_fault(found):
    wrong = faults(found)
    for sex in SEXES:
        for day in {0, LIFE, *(one.start for one in found), *(one.end - 1 for one in found if one.end)}:
            n = sum(one.is_of(sex) and one.holds(day) for one in found)
            said = [
                f for f in wrong if f.sex in (ANY, sex) and f.start <= day and (f.end is None or day < f.end)
            ]
            if found and n != 1:
                assert [one.wrong for one in said] == [Wrong.OVERLAP if n else Wrong.GAP]
            else:
                assert not said


@given(st.lists(spans, max_size=5))
def test_two_that_meet_have_a_day_and_a_sex_in_common(found):
    for one in found:
        for other in found:
            edges = {one.start, other.start}
            shared = any(
                one.holds(day) and other.holds(day) and one.is_of(sex) and other.is_of(sex)
                for day in edges
                for sex in SEXES
            )
            assert one.meets(other) is shared


def test_nothing_covers_nothing():
    assert faults([]) == []


def test_one_sex_alone_leaves_the_other_without():
    assert faults([Span(FEMALE, 0, None)]) == [Fault(Wrong.GAP, MALE, 0, None)]


def test_a_gap_is_told_from_day_to_day():
    found = faults([Span(ANY, 0, 30), Span(ANY, 40, None)])
    assert found == [Fault(Wrong.GAP, ANY, 30, 40)]


def test_an_overlap_of_any_with_one_sex_is_that_sex_s():
    found = faults([Span(ANY, 0, None), Span(FEMALE, 4015, None)])
    assert found == [Fault(Wrong.OVERLAP, FEMALE, 4015, None)]


def test_an_open_end_may_be_followed_by_nothing():
    assert faults([Span(ANY, 0, 730)]) == [Fault(Wrong.GAP, ANY, 730, None)]


def test_the_sexes_may_part_at_an_age():
    assert faults([Span(ANY, 0, 4745), Span(MALE, 4745, None), Span(FEMALE, 4745, None)]) == []
