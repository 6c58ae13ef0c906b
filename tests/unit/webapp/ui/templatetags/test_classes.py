"""The way to a class's cells."""

from types import SimpleNamespace
from uuid import UUID

import pytest
from django.template import Context, Template

CASE = UUID("0190b2f4-3b1c-7c3a-9d54-8f0c3b6f2a11")


@pytest.mark.parametrize(
    ("code", "address"), [("monocyte", f"/cases/{CASE}/?class=monocyte"), ("", f"/cases/{CASE}/")]
)
def test_a_link_leads_to_a_class_or_to_all(code, address):
    template = Template("{% load classes %}<a {% class_link code %}>")
    rendered = template.render(Context({"case": SimpleNamespace(id=CASE), "code": code}))
    assert f'<a href="{address}" hx-get="{address}" hx-target="#case"' in rendered


def test_a_link_stands_within_a_sentence_that_is_translated():
    template = Template(
        "{% load classes i18n %}{% class_link code as link %}"
        "{% blocktranslate %}Look at <a {{ link }}>these</a>.{% endblocktranslate %}"
    )
    rendered = template.render(Context({"case": SimpleNamespace(id=CASE), "code": '"><b'}))
    assert rendered.startswith('Look at <a href="/cases/')
    assert "<b" not in rendered
    assert rendered.endswith(">these</a>.")
