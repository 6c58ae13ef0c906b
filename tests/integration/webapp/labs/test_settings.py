"""What a lab sets: the time zone in which its people read times and count days, and what a full count is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.support.people import Person, person
from webapp.audit.models import Entry
from webapp.cases.models import Case, Image
from webapp.hematology.classes import ALWAYS, REPORT_ORDER, InvalidClasses
from webapp.labs.models import Lab
from webapp.labs.permissions import Role
from webapp.labs.services import change_classes
from webapp.review.selectors import Counts
from webapp.ui.labs.forms import zones

pytestmark = pytest.mark.usefixtures("plain_static")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def ada(lab):
    return person(lab, "Ada", Role.ADMIN)


@pytest.fixture
def in_tokyo(lab):
    Lab.objects.filter(id=lab.id).update(time_zone="Asia/Tokyo")


def save(someone, **form):
    form = {"language": "en", **form}
    return someone.browser.post(reverse("ui:lab-settings-change"), form, follow=True)


def case_of_noon(alice: Person) -> Case:
    case = alice.case()
    with scope(lab=alice.lab):
        Case.objects.filter(id=case.id).update(created_at=NOON)
    return case


def today_at(monkeypatch, moment: str) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(moment))


def enter(alice: Person, birth_date: str) -> int:
    accession = f"B-{birth_date}"
    return alice.api.send(
        "/cases/", {"accession": accession, "patient": {"birth_date": birth_date}}
    ).status_code


# --- setting it ---------------------------------------------------------------------------------------------


def test_administrators_set_it_and_it_is_on_record(ada):
    page = save(ada, time_zone="Asia/Tokyo", full_count="200").content.decode()
    assert '<option value="Asia/Tokyo" selected>' in page
    lab = Lab.objects.get()
    assert (lab.time_zone, lab.full_count) == ("Asia/Tokyo", 200)
    entry = Entry.objects.get(action="lab.changed")
    assert entry.chain == lab.id
    assert (entry.before, entry.after) == (
        {"time_zone": "", "full_count": 100},
        {"time_zone": "Asia/Tokyo", "full_count": 200},
    )
    save(ada, time_zone="Asia/Tokyo", full_count="200")
    assert Entry.objects.filter(action="lab.changed").count() == 1


@pytest.mark.parametrize(
    "form", [{"time_zone": "Mars/Base", "full_count": "100"}, {"time_zone": "", "full_count": "50"}]
)
def test_what_cannot_be_is_rejected(ada, form):
    page = save(ada, **form)
    assert page.status_code == 422
    assert b"field-error" in page.content
    assert Lab.objects.get().full_count == 100


def save_classes(someone, *codes, **places):
    form = {"used": codes, **{f"place_{code}": place for code, place in places.items()}}
    return someone.browser.post(reverse("ui:lab-classes-change"), form, follow=True)


def test_administrators_choose_classes_and_their_order_and_it_is_on_record(ada):
    page = save_classes(ada, "blast", "smudge", blast=30, neutrophil=1, lymphocyte=2).content.decode()
    assert "Saved." in page
    codes = Lab.objects.get().classes
    assert codes[:2] == ["neutrophil", "lymphocyte"]
    assert set(codes) == ALWAYS | {"blast", "smudge"}
    assert codes[-1] == "not_classed"  # two without a place stay as they were
    entry = Entry.objects.get(action="lab.classes_changed")
    assert entry.chain == ada.lab.id
    assert (entry.before, entry.after) == ({"classes": list(REPORT_ORDER)}, {"classes": codes})
    save_classes(ada, "blast", "smudge", **{code: place for place, code in enumerate(codes, 1)})
    assert Entry.objects.filter(action="lab.classes_changed").count() == 1
    save_classes(ada, *REPORT_ORDER, **{code: place for place, code in enumerate(REPORT_ORDER, 1)})
    assert Lab.objects.get().classes == []


def test_no_lab_does_without_what_the_model_suggests(ada):
    save_classes(ada)  # no box is ticked
    assert set(Lab.objects.get().classes) == ALWAYS
    with pytest.raises(InvalidClasses):
        change_classes(ada.lab, ["neutrophil", "lymphocyte"])
    assert set(Lab.objects.get().classes) == ALWAYS


@pytest.mark.parametrize("form", [{"used": ["nothing"]}, {"place_blast": "0"}, {"place_blast": "first"}])
def test_classes_that_cannot_be_are_rejected(ada, form):
    page = ada.browser.post(reverse("ui:lab-classes-change"), form)
    assert page.status_code == 422
    assert b"field-error" in page.content
    assert Lab.objects.get().classes == []


def test_the_menu_has_the_zones_of_the_world():
    names = [name for region, group in zones() if region for name, _ in group]
    assert {"Asia/Tokyo", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Pacific/Kiritimati"} <= set(
        names
    )
    assert not {"Etc/GMT+5", "GB", "posixrules"} & set(names)


def test_a_zone_that_this_machine_does_not_know_stops_nothing(alice):
    Lab.objects.update(time_zone="Nowhere/Land")
    assert alice.browser.get(reverse("ui:worklist")).status_code == 200


# --- the time -----------------------------------------------------------------------------------------------


def test_pages_tell_the_time_of_the_lab_and_the_api_its_offset(alice, in_tokyo):
    case = case_of_noon(alice)
    for page in (reverse("ui:worklist"), reverse("ui:case", args=[case.id])):
        assert "15 Jan 2026, 21:00 JST" in alice.browser.get(page).content.decode()
    assert alice.api.read(f"/cases/{case.id}/").json()["created_at"] == "2026-01-15T21:00:00+09:00"


def test_without_a_zone_they_tell_utc(alice):
    case = case_of_noon(alice)
    assert "15 Jan 2026, 12:00 UTC" in alice.browser.get(reverse("ui:worklist")).content.decode()
    assert alice.api.read(f"/cases/{case.id}/").json()["created_at"] == "2026-01-15T12:00:00Z"


def test_one_labs_zone_is_not_the_next_requests(alice, charlie, in_tokyo):
    charlie.case()
    alice.case()
    assert "JST" in alice.browser.get(reverse("ui:worklist")).content.decode()
    assert "JST" not in charlie.browser.get(reverse("ui:worklist")).content.decode()


def test_messages_tell_it_too(ada, in_tokyo):
    ada.browser.post(reverse("ui:invite"), {"email": "nina@north.example", "role": "technician"})
    assert "JST" in mail.outbox[-1].body
    new = "a quite different one"
    form = {"oldpassword": "correct horse battery staple", "password1": new, "password2": new}
    ada.browser.post(reverse("account_change_password"), form)
    assert any("JST" in message.body for message in mail.outbox if "changed" in message.subject)


def test_a_day_of_the_trail_is_the_labs(ada, in_tokyo):
    entry = Entry.objects.filter(chain=ada.lab.id).latest("at")
    there = timezone.localtime(entry.at, ada.lab.zone or timezone.get_fixed_timezone(540))
    day = there.date()
    found = ada.browser.get(reverse("ui:audit"), {"since": day, "until": day}).context["entries"]
    assert entry.seq in {shown.seq for shown in found}
    other = day + timedelta(days=1)
    assert not ada.browser.get(reverse("ui:audit"), {"since": other, "until": other}).context["entries"]


@pytest.mark.parametrize(
    ("zone", "now", "born", "status"),
    [
        ("Asia/Tokyo", "2026-03-01T20:00+00:00", "2026-03-02", 201),  # 05:00 on the 2nd there
        ("Asia/Tokyo", "2026-03-01T10:00+00:00", "2026-03-02", 400),  # 19:00 on the 1st
        ("America/Lima", "2026-03-02T03:00+00:00", "2026-03-02", 400),  # 22:00 on the 1st
        ("America/Lima", "2026-03-02T03:00+00:00", "2026-03-01", 201),
        ("", "2026-03-01T12:00+00:00", "2026-03-02", 201),  # in Kiritimati it is the 2nd
        ("", "2026-03-01T12:00+00:00", "2026-03-03", 400),
        ("", "2025-12-31T20:00+00:00", "2026-01-01", 201),  # another year there
        ("Asia/Tokyo", "2025-12-31T20:00+00:00", "1896-01-01", 201),
        ("Asia/Tokyo", "2025-12-31T20:00+00:00", "1895-12-31", 400),
    ],
)
def test_a_child_is_born_today_where_the_lab_is(alice, monkeypatch, zone, now, born, status):
    Lab.objects.update(time_zone=zone)
    today_at(monkeypatch, now)
    monkeypatch.setattr("webapp.labs.models.ApiToken.expired", False)
    assert enter(alice, born) == status


# --- the count ----------------------------------------------------------------------------------------------


def test_a_case_asks_for_the_labs_whole_count(alice, monkeypatch):
    for place in ("webapp.api.cases.views", "webapp.ui.cases.views.cases"):
        monkeypatch.setattr(f"{place}.counts_of", lambda *of: Counts({"neutrophil": 120}))
    case = alice.case()
    with scope(lab=alice.lab):
        status = Image.Status.CLASSIFIED
        Image.objects.create(case=case, lab=alice.lab, name="a.jpg", key="a", bytes=1, status=status)
    Lab.objects.update(full_count=200)
    found = alice.api.read(f"/cases/{case.id}/").json()["differential"]
    assert (found["full_count"], found["is_full"]) == (200, False)
    page = alice.browser.get(reverse("ui:case", args=[case.id])).content.decode()
    assert "Fewer than 200 white cells" in page
    assert "120 of 200 white cells" in page


def test_the_api_tells_codes_and_units(alice):
    found = alice.api.read(f"/cases/{alice.case().id}/").json()["differential"]
    told = {row["code"]: (row["loinc"], row["unit"]) for row in (*found["white_cells"], *found["others"])}
    assert told["erythroblast"] == ("18309-5", "/100{WBCs}")
    assert told["neutrophil"] == ("26511-6", "%")
    assert told["platelet"] == (None, None)
