"""Who reads a case blinded learns nothing of its first reading: not from its result, the page on which it is
signed, or the worklist."""

import pytest
from django.urls import reverse

from tests.support.results import now, signed
from webapp.results.amending import amend
from webapp.results.signing import prepare
from webapp.review import second_readers

pytestmark = pytest.mark.usefixtures("plain_static")


def ask(case, pat, quinn):
    second_readers.ask(now(case), by=pat.membership.user, asked=quinn.membership.user)


def test_a_result_that_is_amended(pat, quinn, read_case):
    signed(read_case, pat)
    amend(now(read_case), pat.membership, version=1, reason="A cell was of another class.")
    addresses = [
        reverse("ui:result", args=[read_case.id, 1]),
        reverse("ui:last-result", args=[read_case.id]),
        f"/api/v1/cases/{read_case.id}/results/1/",
        f"/api/v1/cases/{read_case.id}/result/",
    ]
    assert [quinn.browser.get(address).status_code for address in addresses] == [200] * 4
    ask(read_case, pat, quinn)
    assert [quinn.browser.get(address).status_code for address in addresses] == [404] * 4
    assert [pat.browser.get(address).status_code for address in addresses] == [200] * 4
    case_page = quinn.browser.get(reverse("ui:case", args=[read_case.id]))
    assert reverse("ui:last-result", args=[read_case.id]) not in case_page.content.decode()


def test_the_page_on_which_it_is_signed(pat, quinn, read_case):
    ask(read_case, pat, quinn)
    found = quinn.browser.get(reverse("ui:sign", args=[read_case.id])).content.decode()
    assert "You read this case blinded." in found
    assert "3 white cells" not in found
    codes = [
        {one.code for one in prepare(now(read_case), viewer=someone.membership.user).missing}
        for someone in (pat, quinn)
    ]
    assert "short" in codes[0]
    assert codes[1] == {"blinded"}
