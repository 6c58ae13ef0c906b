"""Fifty browsers sign at once: threads, each with a session of its own, on the real database.

The requests go through the whole of Django, but not through gunicorn.
"""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django_scopes import scope

from tests.support.people import PASSWORD, person
from tests.support.results import FEW, ready, shown
from webapp.labs.permissions import Role
from webapp.results.models import Result, Signature
from webapp.results.verification import Verified, verify_all

MANY = 50


@pytest.fixture
def pathologists(lab):
    return [person(lab, f"Pat{n}", Role.PATHOLOGIST).signed_in() for n in range(MANY)]


def post(browser, case, seen, n=0):
    """From a machine of its own: attempts from one address are counted together."""
    form = {**vars(seen), "method": "password", "proof": PASSWORD}
    try:
        return browser.post(f"/cases/{case.id}/sign/", form, REMOTE_ADDR=f"10.0.0.{n}").status_code
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("plain_static", "fresh_rates")
def test_fifty_browsers_sign_fifty_cases_at_once(lab, pathologists):
    with scope(lab=lab):
        cases = [ready(one, f"A-{n}", cells=2, mrn=f"M{n}") for n, one in enumerate(pathologists)]
        seen = [shown(case) for case in cases]
    browsers, together = [one.browser for one in pathologists], threading.Barrier(MANY)

    def sign(n):
        together.wait(60)
        return post(browsers[n], cases[n], seen[n], n)

    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(sign, range(MANY))) == [302] * MANY
    with scope(lab=lab):
        results = list(Result.objects.select_related("case__patient__key"))
        assert Signature.objects.count() == len(results) == MANY
        for result in results:
            assert hashlib.sha256(result.document.encode()).digest() == bytes(result.sha256)
        assert {result.digest for result in results} == {one.sha256 for one in seen}
    progress = Verified()
    assert (list(verify_all(progress)), progress.results) == ([], MANY)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("plain_static", "fresh_rates")
def test_of_many_who_sign_one_case_at_once_one_does(lab, pathologists):
    few = pathologists[:6]
    with scope(lab=lab):
        case = ready(few[0])
        seen = shown(case, FEW)
    browsers, together = [one.browser for one in [*few, few[0]]], threading.Barrier(len(few) + 1)

    def sign(browser):
        together.wait(60)
        return post(browser, case, seen)

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(sign, browsers))
    assert set(answers) <= {302, 409}
    with scope(lab=lab):
        assert (Signature.objects.count(), Result.objects.count()) == (1, 1)
