"""What holds for pages beyond `test_endpoints`: parts, start pages, the switcher, what is offered."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from serving.contract import MODEL_NAME
from tests.support.pages import add_cells, cell_of, plain_static
from tests.support.people import person
from webapp.labs.middleware import ACTIVE_LAB
from webapp.labs.permissions import Permission, Role, allows
from webapp.labs.services import add_member
from webapp.registry.models import ModelVersion
from webapp.registry.selectors import lab_model_name
from webapp.ui.urls import urlpatterns

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

PAGES_OF_CASES = [
    pattern
    for pattern in urlpatterns
    if "case_id" in pattern.pattern.converters
    and pattern.name not in ("call-log", "case-requeue", "case-patient", "case-slides", "case-slide-remove")
    and pattern.name not in ("rule-answer", "second-reader", "second-reader-withdraw", "reading-finish")
    and not str(pattern.name).startswith("settle")
    and pattern.name not in ("case-release", "case-assign")
    and not str(pattern.name).startswith("case-patient-")
]
each_page = pytest.mark.parametrize("page", PAGES_OF_CASES, ids=lambda page: page.name)


@pytest.fixture
def subject(alice):
    case = alice.case("A-secret")
    (image,) = add_cells(alice, case, "neutrophil", 0.97)
    cell = cell_of(image)
    return {"case_id": case.id, "image_id": image.id, "cell_id": cell.id, "cell_ids": [cell.id], "version": 1}


def ask(client, page, subject, **headers):
    arguments = {name: subject[name] for name in page.pattern.converters}
    return client.get(reverse(f"ui:{page.name}", kwargs=arguments), headers=headers)


@each_page
def test_a_case_gives_no_way_to_anothers_cells(alice, charlie, subject, page):
    """The case in the address may be seen; the cell or the tile is of another case, of one's lab or not."""
    if set(page.pattern.converters) <= {"case_id"}:
        return
    for someone in (alice, charlie):
        mine = someone.case("Another")
        assert ask(someone.browser, page, {**subject, "case_id": mine.id}).status_code == 404


@each_page
def test_a_part_of_a_page_is_never_replaced_by_the_sign_in_page(subject, page):
    here = f"http://testserver{reverse('ui:case', args=[subject['case_id']])}"
    response = ask(Client(), page, subject, **{"HX-Request": "true", "HX-Current-URL": here})
    assert response.content == b""
    assert response["HX-Redirect"].startswith(reverse("account_login"))
    assert str(subject["case_id"]) in response["HX-Redirect"]


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_everyone_finds_a_start_page(colleagues, role):
    response = colleagues[role].browser.get(reverse("ui:home"), follow=True)
    assert response.status_code == 200
    heading = b"<h1>Worklist</h1>" if allows(role, Permission.VIEW_CASES) else b"What you will find here"
    assert heading in response.content


def test_a_labs_own_model_is_seen_by_that_lab_alone(alice, charlie):
    for number, lab in ((1, None), (2, alice.lab), (3, charlie.lab)):
        ModelVersion.objects.create(
            name=lab_model_name(lab.id) if lab else MODEL_NAME,
            version=number,
            lab=lab,
            labels=[],
            review_threshold=0.9,
            info={"licence": f"licence {number}"},
            published_at=timezone.now(),
        )
    for someone, seen in ((person(alice.lab, "Sue", Role.SUPERVISOR), {1, 2}), (charlie, {1, 3})):
        page = someone.browser.get(reverse("ui:models")).content.decode()
        assert {number for number in (1, 2, 3) if f"licence {number}" in page} == seen
        listed = someone.api.read("/models/").json()["results"]
        assert {row["version"] for row in listed} == seen
        assert [row["in_use"] for row in listed] == [row["own"] for row in listed]


def test_without_a_lab_there_is_an_explanation(alice):
    alice.membership.active = False
    alice.membership.save()
    assert b"not a member of a lab" in alice.browser.get(reverse("ui:home")).content
    assert alice.browser.get(reverse("ui:worklist")).status_code == 403


def test_the_lab_switcher_leads_only_to_ones_own_labs(alice, charlie):
    browser = alice.browser
    switch = reverse("ui:switch-lab")
    assert browser.post(switch, {"lab": str(charlie.lab.id)}).status_code == 403
    assert browser.session[ACTIVE_LAB] == str(alice.lab.id)
    charlie.case("C-1")
    add_member(charlie.lab, email=alice.membership.user.email, name="Alice", role=Role.ADMIN, password="")
    browser.post(switch, {"lab": str(charlie.lab.id)})
    assert b"C-1" in browser.get(reverse("ui:worklist"), headers={"X-Lab": str(charlie.lab.id)}).content


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_the_bar_leads_where_one_may_go(colleagues, role):
    page = colleagues[role].browser.get(reverse("ui:home"), follow=True)
    bar = page.content.decode().partition("<nav")[2].partition("</nav>")[0]
    assert (reverse("ui:worklist") in bar) == allows(role, Permission.VIEW_CASES)
    assert (reverse("ui:models") in bar) == allows(role, Permission.VIEW_MODELS)


def test_what_a_role_may_not_do_is_not_offered(alice, subject):
    supervisor = person(alice.lab, "Sue", Role.SUPERVISOR).browser
    assert b"Create case" not in supervisor.get(reverse("ui:worklist")).content
    page = supervisor.get(reverse("ui:case", args=[subject["case_id"]])).content
    assert b"Choose images" not in page
    assert b"upload.js" not in page


def test_pages_forbid_inline_scripts_and_styles(alice, subject):
    response = alice.browser.get(reverse("ui:case", args=[subject["case_id"]]))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = response.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=")


def test_writing_needs_the_token_of_the_form(alice, subject):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.membership.user)
    response = browser.post(reverse("ui:new-case"), {"accession": "N-1"})
    assert response.status_code == 403
    assert b"out of date" in response.content
