"""Numbers in the language of the reader, which stay true to what they stand for."""

import pytest
from django.utils import translation

from webapp.ui.templatetags import numbers


@pytest.mark.parametrize(
    ("said", "english", "german"),
    [
        (lambda: numbers.percent(45.4), "45 %", "45 %"),
        (lambda: numbers.confidence(0.456), "46 %", "46 %"),
        (lambda: numbers.confidence(0.999), "> 99 %", "> 99 %"),
        (lambda: numbers.confidence(0.001), "< 1 %", "< 1 %"),
        (lambda: numbers.share(0.98765), "98.8 %", "98,8 %"),
        (lambda: numbers.share(0.9996), "> 99.9 %", "> 99,9 %"),
        (lambda: numbers.share(0.0001), "< 0.1 %", "< 0,1 %"),
        (lambda: numbers.share(1), "100.0 %", "100,0 %"),
        (lambda: numbers.share_interval((0.9, 0.95)), "90.0–95.0 %", "90,0–95,0 %"),
        (lambda: numbers.one_decimal(1234.56), "1,234.6", "1.234,6"),
        (lambda: numbers.one_decimal(None), "–", "–"),
        (lambda: numbers.distance(0.305), "0.30", "0,30"),
        (lambda: numbers.distance(1.001), "1.01", "1,01"),
        (lambda: numbers.coordinate(1.5), "1.50", "1.50"),
    ],
)
def test_a_number(said, english, german):
    assert said() == english
    with translation.override("de"):
        assert said() == german
