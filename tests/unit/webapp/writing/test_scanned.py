"""What barcode readers put around what a label says."""

import pytest

from webapp.cases.identifiers import normal_accession
from webapp.patients.identifiers import mrn_line, normal_mrn
from webapp.writing.text import scanned

AROUND = [
    "{}\r",
    "{}\r\n",
    "{}\n",
    "\x02{}\x03",
    "]C1{}",
    "]C0{}\r",
    "]A0{}",
    "]d2{}",
    "\x1d{}\x1d",
    "]C1{}\x1d",
]


@pytest.mark.parametrize("around", [*AROUND, "{}", " {} ", "{}\t"], ids=repr)
def test_it_is_the_number_on_the_label(around):
    assert scanned(around.format("A-17/2026")) == "A-17/2026"
    assert normal_accession(around.format("A-17/2026")) == "A-17/2026"
    assert mrn_line(around.format("77-01")) == "77-01"
    assert normal_mrn(around.format("77-01")) == "7701"


def test_full_width_is_read_before_what_stands_around():
    assert normal_accession("］Ｃ１Ａ－１７") == "A-17"


@pytest.mark.parametrize("number", ["]C", "A]C1", "[C1A", "]1C5", "C1A"])
def test_what_only_looks_like_it_stays(number):
    assert normal_accession(number) == number
