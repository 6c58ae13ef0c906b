"""Every API endpoint × every role × own lab, other lab, nobody; the expectation is the role table itself."""

import uuid

import pytest
from django.test import Client
from django_scopes import scope

from tests.support.people import person, somebody_who_may
from webapp.api.urls import urlpatterns
from webapp.cases.models import Image
from webapp.labs.permissions import Role, allows

OPEN_TO_ALL = {"schema", "docs", "tokens"}
ENDPOINTS = [
    (pattern, method, permission)
    for pattern in urlpatterns
    if pattern.name not in OPEN_TO_ALL
    for method, permission in pattern.callback.view_class.needs.items()
]


def path_of(pattern, case, image):
    arguments = {"case_id": case.id, "image_id": image.id}
    wanted = {name: arguments[name] for name in pattern.pattern.converters}
    route = str(pattern.pattern)
    for name, value in wanted.items():
        kind = type(pattern.pattern.converters[name]).__name__.removesuffix("Converter").lower()
        route = route.replace(f"<{kind}:{name}>", str(value)).replace(f"<int:{name}>", str(value))
    return f"/api/v1/{route}"


def call(client, method, path):
    if method == "GET":
        return client.get(path)
    return client.generic(method, path, data="{}", content_type="application/json")


@pytest.fixture
def subject(alice):
    case = alice.case()
    with scope(lab=alice.lab):
        image = Image.objects.create(
            lab=alice.lab,
            case=case,
            name="a.jpg",
            key=uuid.uuid4().hex,
            bytes=1,
            status=Image.Status.RECEIVED,
        )
    return case, image


def test_every_view_names_what_it_needs():
    for pattern in urlpatterns:
        if pattern.name in OPEN_TO_ALL:
            continue
        view = pattern.callback.view_class
        methods = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert set(view.needs) == methods, pattern.name


@pytest.mark.parametrize("role", list(Role), ids=str)
@pytest.mark.parametrize(
    ("pattern", "method", "permission"), ENDPOINTS, ids=[f"{m}-{p.name}" for p, m, _ in ENDPOINTS]
)
def test_role_in_own_lab(alice, subject, role, pattern, method, permission):
    someone = person(alice.lab, f"Some {role.value}".replace(" ", "."), role)
    response = call(someone.api, method, path_of(pattern, *subject))
    if allows(role, permission):
        # Allowed: what comes back may complain of the empty body, or of a picture not classified yet.
        assert response.status_code not in (401, 403), response.content
        assert response.status_code < 500
    else:
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "permission_denied"


@pytest.mark.parametrize(
    ("pattern", "method", "permission"), ENDPOINTS, ids=[f"{m}-{p.name}" for p, m, _ in ENDPOINTS]
)
def test_another_lab_sees_nothing(charlie, subject, pattern, method, permission):
    """A stranger gets for another lab's record what they get for one that is not there."""
    case, image = subject
    stranger = somebody_who_may(charlie.lab, permission)
    if not pattern.pattern.converters:
        listed = stranger.api.get(path_of(pattern, case, image))
        assert str(case.id) not in b"".join(listed).decode()
        return
    response = call(stranger.api, method, path_of(pattern, case, image))
    case.id, image.id = uuid.uuid4(), image.id + 1_000_000
    missing = call(stranger.api, method, path_of(pattern, case, image))
    assert (response.status_code, response.content) == (missing.status_code, missing.content)
    assert response.status_code in (400, 404, 415)


@pytest.mark.parametrize(
    ("pattern", "method", "permission"), ENDPOINTS, ids=[f"{m}-{p.name}" for p, m, _ in ENDPOINTS]
)
@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer hv_made-up"}], ids=["nobody", "false-token"]
)
def test_nobody(subject, header, pattern, method, permission):
    response = call(Client(headers=header), method, path_of(pattern, *subject))
    assert response.status_code == 401
    assert "error" in response.json()


def test_a_deactivated_member_is_out_at_once(alice, subject):
    alice.membership.active = False
    alice.membership.save()
    assert alice.api.read("/cases/").status_code == 401


def test_session_writes_need_the_csrf_token(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.membership.user)
    assert (
        browser.post("/api/v1/cases/", {"accession": "X"}, content_type="application/json").status_code == 403
    )
