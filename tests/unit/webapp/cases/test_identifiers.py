"""Accessions and MRNs in their normal form."""

from webapp.cases.identifiers import normal_accession
from webapp.patients.identifiers import normal_mrn


def test_accessions_alike_are_one():
    forms = ["É-１０４２", "É-1042", "E\u0301-1042", " É-1042\u00a0", "É-10\u00ad42"]
    assert {normal_accession(form) for form in forms} == {"É-1042"}
    assert normal_accession("é-1042") != normal_accession("É-1042")


def test_mrns_that_are_written_differently_are_one():
    assert normal_mrn("77\u3164012") == normal_mrn("77012") == normal_mrn("7\ufe0f7012\u1160")
    forms = [
        "ab-12/34.5",
        "AB 12 345",
        "ab12345",
        "ＡＢ１２３４５",
        "ab–12–345",
        "ab۱۲۳۴۵",
        "ab١٢٣٤٥",
        "AB_12:345\u00a0",
    ]
    assert {normal_mrn(form) for form in forms} == {"ab12345"}
    assert normal_mrn("0012") != normal_mrn("12")
