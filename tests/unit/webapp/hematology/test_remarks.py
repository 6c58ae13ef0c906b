import pytest

from webapp.hematology.remarks import SUBJECTS, TERMS, WORDS, InvalidRemark, check


def test_every_term_with_each_of_its_grades_can_be_remarked_and_no_other():
    for term in TERMS.values():
        for grade in ("", "1+", "2+", "3+", "4+"):
            if grade in (term.grades or ("",)):
                check(term.subject, term.code, grade)
            else:
                with pytest.raises(InvalidRemark):
                    check(term.subject, term.code, grade)


def test_few_is_for_schistocytes_alone():
    assert [term.code for term in TERMS.values() if "1+" in term.grades] == ["schistocytes"]


def test_free_words_are_on_any_subject_without_a_grade():
    for subject in SUBJECTS:
        check(subject, WORDS, "")
        with pytest.raises(InvalidRemark):
            check(subject, WORDS, "2+")


@pytest.mark.parametrize(
    ("subject", "term"),
    [("platelets", "schistocytes"), ("general", "schistocytes"), ("blood", WORDS), ("red_cells", "")],
)
def test_what_there_is_not(subject, term):
    with pytest.raises(InvalidRemark):
        check(subject, term, "2+" if term in TERMS else "")
