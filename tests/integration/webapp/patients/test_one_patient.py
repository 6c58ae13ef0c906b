"""One person, many cases: entered once, merged and parted on record, two at once, and never half of it."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django_scopes import scope

from tests.support.people import person
from webapp.audit.models import Entry
from webapp.cases import selectors
from webapp.cases.models import Case, ClinicalNotes
from webapp.cases.services import NotTwoPatients, change_identifiers, create_case, merge, split
from webapp.cases.specimen_services import change_specimen
from webapp.cases.specimens import Specimen
from webapp.labs.permissions import Role
from webapp.patients.models import Patient, PatientKey

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def make(alice):
    def made(accession: str, **identifiers) -> Case:
        return create_case(alice.lab, accession=accession, by=alice.membership.user, identifiers=identifiers)

    with scope(lab=alice.lab):
        yield made


def known(case: Case):
    return selectors.identifiers_of([case])[case.id]


def actions(lab) -> list[str]:
    return list(Entry.objects.filter(chain=lab.id).order_by("seq").values_list("action", flat=True))


def test_a_patient_whose_mrn_is_known_is_entered_once(make):
    first = make("A-1", mrn="42", name="Ada Lovelace", notes="Pale.")
    second = make("A-2", mrn="42", name="Ada King", sex="female", notes="Better.")
    assert second.differing == ("name",)
    assert known(first).patient == known(second).patient
    assert (known(second).name, known(second).sex) == ("Ada Lovelace", "female")
    assert (known(first).notes, known(second).notes) == ("Pale.", "Better.")
    assert Patient.objects.count() == 1


def test_patients_without_an_mrn_are_one_for_each_case(make):
    assert known(make("A-1", name="Ada")).patient != known(make("A-2", name="Ada")).patient


def test_the_api_says_what_was_given_otherwise_to_those_who_may_see_it(alice, make):
    make("A-1", mrn="42", name="Ada Lovelace")
    sent = {"accession": "A-2", "patient": {"mrn": "42", "name": "Ada King"}}
    answer = alice.api.send("/cases/", sent).json()["patient"]
    assert (answer["name"], answer["kept"]) == ("Ada Lovelace", ["name"])
    assert "case.identifiers_kept" in actions(alice.lab)
    page = alice.browser.post(
        "/cases/new/", {"accession": "A-3", "mrn": "42", "name": "Ada King"}, follow=True
    )
    assert "you gave otherwise: Name" in page.content.decode()


def test_correcting_a_person_corrects_all_their_cases(make):
    first, second = make("A-1", mrn="42", name="Ada"), make("A-2", mrn="42")
    change_identifiers(second, {"name": "Ada King"})
    assert known(first).name == "Ada King"


def test_an_mrn_entered_later_makes_the_case_that_patients(make):
    first, second = make("A-1", mrn="42", name="Ada"), make("A-2", name="A.", sex="female", notes="Pale.")
    assert change_identifiers(second, {"mrn": "42"}) == ()
    assert known(second).patient == known(first).patient
    assert (known(second).name, known(second).notes) == ("Ada", "Pale.")
    assert Patient.objects.count() == PatientKey.objects.count() == 1


def test_merging_moves_every_case_and_reseals_what_was_written(alice, make):
    first = make("A-1", mrn="42", name="Ada")
    second, third = (make(f"A-{n}", mrn="43", name="Ida", sex="female", notes=f"Note {n}.") for n in (2, 3))
    change_specimen(second, {"ordering_unit": "Ward 3"})
    gone = known(second).patient
    assert set(merge(first, second)) == {"name", "mrn"}
    for case, note in ((second, "Note 2."), (third, "Note 3.")):
        assert known(case).patient == known(first).patient
        assert (known(case).name, known(case).sex, known(case).notes) == ("Ada", "female", note)
        assert not known(case).unreadable
        lain = ClinicalNotes.objects.get(case=case).__dict__["text"].key_id
        assert lain == f"own:{known(first).patient}"
    assert selectors.specimen_of(second, texts=True).ordering_unit == "Ward 3"
    assert Patient.objects.get(id=gone).merged_into_id == known(first).patient
    assert {case.accession for case in selectors.cases_of_patient(alice.lab.id, "43")} == {
        "A-1",
        "A-2",
        "A-3",
    }
    entry = Entry.objects.get(chain=alice.lab.id, action="case.patients_merged")
    assert entry.sentence.endswith("merged the patient of case A-2 into that of case A-1 (2 cases)")
    assert "Ada" not in str(vars(entry))


def test_a_merged_patients_mrn_is_taken_over_where_there_was_none(alice, make):
    first, second = make("A-1", name="Ada"), make("A-2", mrn="43")
    merge(first, second)
    assert known(first).mrn == "43"
    assert selectors.cases_of_patient(alice.lab.id, "43").count() == 2


def test_parting_gives_a_case_back_to_whose_it_was(make):
    first, second = make("A-1", mrn="42", name="Ada"), make("A-2", mrn="43", name="Ida", notes="Pale.")
    before = known(second)
    merge(first, second)
    split(second)
    assert known(second) == before
    assert known(make("A-3", mrn="43")).patient == before.patient


def test_parting_gives_back_what_was_taken_over(alice, make):
    """Else the MRN would find the wrong one of the two for good."""
    first, second = make("A-1", name="Ada"), make("A-2", mrn="43", name="Ida", sex="female")
    before = known(second)
    assert merge(first, second) == ("name",)
    assert (known(first).mrn, known(first).sex) == ("43", "female")
    split(second)
    assert known(second) == before
    assert (known(first).name, known(first).mrn, known(first).sex) == ("Ada", "", "")
    assert known(make("A-3", mrn="43")).patient == before.patient


def test_what_was_corrected_since_stays_where_it_was_corrected(make):
    first, second = make("A-1", name="Ada"), make("A-2", mrn="43", sex="female")
    merge(first, second)
    change_identifiers(first, {"sex": "other"})
    split(second)
    assert (known(first).sex, known(second).sex, known(second).mrn) == ("other", "female", "43")


def test_every_case_can_be_given_back_to_whose_it_was(make):
    first, second, third = make("A-1", mrn="42"), make("A-2", mrn="43"), make("A-3", mrn="43")
    before = known(second).patient
    merge(first, second)
    split(second)
    split(third)
    assert known(second).patient == known(third).patient == before


def test_parting_where_nothing_was_merged_gives_a_patient_of_its_own(make):
    first, second = make("A-1", mrn="42", name="Ada"), make("A-2", mrn="42", notes="Pale.")
    split(second)
    assert known(second).patient != known(first).patient
    assert (known(second).name, known(second).mrn, known(second).notes) == ("", "", "Pale.")
    with pytest.raises(NotTwoPatients):
        split(second)


def test_pages_merge_and_part(alice, make):
    first, second = make("A-1", name="Ada"), make("A-2", name="Ada L.")
    page = f"/cases/{first.id}/patient/"
    asked = alice.browser.post(f"{page}merge/", {"accession": "A-2"}).content.decode()
    assert "Ada L." in asked
    assert known(first).patient != known(second).patient  # it was only asked
    shown = f"{known(first).patient} {known(second).patient}"
    assert f'value="{shown}"' in asked
    others = f"{known(first).patient} {uuid4()}"
    assert (
        "Ada L."
        in alice.browser.post(f"{page}merge/", {"accession": "A-2", "shown": others}).content.decode()
    )
    answer = {"accession": "A-2", "shown": shown}
    merged = alice.browser.post(f"{page}merge/", answer, follow=True).content.decode()
    assert "differ in: Name" in merged
    assert f"/cases/{second.id}/" in merged
    assert alice.browser.post(f"{page}merge/", {"accession": "A-2"}).status_code == 409
    assert alice.browser.post(f"{page}merge/", {"accession": "A-9"}).status_code == 422
    assert "separated" in alice.browser.post(f"{page}split/", follow=True).content.decode()
    assert known(first).patient != known(second).patient


def test_the_api_merges_and_parts(alice, make):
    first, second = make("A-1", name="Ada"), make("A-2", name="Ida")
    path = f"/cases/{first.id}/patient/"
    assert alice.api.send(f"{path}merge/", {"accession": "A-2"}).json()["kept"] == ["name"]
    again = alice.api.send(f"{path}merge/", {"accession": "A-2"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_two_patients")
    assert alice.api.send(f"/cases/{second.id}/patient/split/", {}).json()["name"] == "Ida"
    assert alice.api.send(f"{path}merge/", {"accession": "A-9"}).status_code == 400


def test_another_labs_case_is_nobodys_to_merge_with(alice, charlie, make):
    first = make("A-1", name="Ada")
    with scope(lab=charlie.lab):
        create_case(
            charlie.lab, accession="C-1", by=charlie.membership.user, identifiers={"mrn": "42", "name": "Eve"}
        )
    assert alice.api.send(f"/cases/{first.id}/patient/merge/", {"accession": "C-1"}).status_code == 400
    assert known(make("A-2", mrn="42")).name == ""


def at_once(lab, *deeds) -> list[Exception]:
    """Do all in transactions of their own, begun together; returns what went wrong."""
    start, failed = threading.Barrier(len(deeds)), []

    def run(deed) -> None:
        try:
            with scope(lab=lab):
                start.wait(20)
                deed()
        except Exception as error:  # noqa: BLE001 - told by whoever began it
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


@pytest.mark.django_db(transaction=True)
def test_two_who_enter_the_same_mrn_at_once_make_one_patient(alice):
    def entering(number: int):
        return lambda: create_case(
            alice.lab,
            accession=f"A-{number}",
            by=alice.membership.user,
            identifiers={"mrn": "42", "name": f"Name {number}"},
        )

    assert at_once(alice.lab, *(entering(number) for number in range(4))) == []
    with scope(lab=alice.lab):
        assert Patient.objects.count() == 1
        assert selectors.cases_of_patient(alice.lab.id, "42").count() == 4


@pytest.mark.django_db(transaction=True)
def test_the_second_waits_for_the_first_and_links(alice):
    """The first has not committed when the second begins."""
    entered, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with scope(lab=alice.lab), transaction.atomic():
            create_case(alice.lab, accession="A-1", by=alice.membership.user, identifiers={"mrn": "42"})
            entered.set()
            go_on.wait(20)
        connection.close()

    def second() -> None:
        with scope(lab=alice.lab):
            create_case(alice.lab, accession="A-2", by=alice.membership.user, identifiers={"mrn": "42"})
        connection.close()

    threads = [threading.Thread(target=deed) for deed in (first, second)]
    threads[0].start()
    assert entered.wait(20)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(20)
    with scope(lab=alice.lab):
        assert Patient.objects.count() == 1
        assert selectors.cases_of_patient(alice.lab.id, "42").count() == 2


@pytest.mark.django_db(transaction=True)
def test_what_is_merged_both_ways_while_it_is_opened_and_written_loses_nothing(alice):
    with scope(lab=alice.lab):
        one, two = (
            create_case(
                alice.lab,
                accession=f"A-{n}",
                by=alice.membership.user,
                identifiers={"mrn": f"M{n}", "name": f"Name {n}", "notes": f"Note {n}."},
            )
            for n in (1, 2)
        )
    shown: list[Any] = []

    def merged(case: Case, other: Case) -> None:
        for _ in range(5):
            try:
                merge(Case.objects.get(id=case.id), Case.objects.get(id=other.id))
                split(Case.objects.get(id=other.id))
            except NotTwoPatients:
                pass

    def opened() -> None:
        for _ in range(40):
            read = list(Case.objects.filter(id__in=[one.id, two.id]))
            shown.extend(selectors.identifiers_of(read).items())

    def written() -> None:
        for number in range(10):
            change_specimen(two, {"comment": f"Comment {number}"})

    deeds = (lambda: merged(one, two), lambda: merged(two, one), opened, written)
    assert at_once(alice.lab, *deeds) == []
    assert not [known.unreadable for _, known in shown if known.unreadable]
    assert {known.notes for case, known in shown if case == two.id} == {"Note 2."}
    with scope(lab=alice.lab):
        assert selectors.specimen_of(two, texts=True).comment == "Comment 9"


@pytest.mark.django_db(transaction=True)
def test_what_is_written_while_patients_are_merged_comes_under_the_key_of_whose_case_it_becomes(alice):
    """Else it would lie under the lab's, and erasing the person would leave it to be read."""
    with scope(lab=alice.lab):
        one, two = (
            create_case(alice.lab, accession=f"A-{n}", by=alice.membership.user, identifiers={"mrn": f"M{n}"})
            for n in (1, 2)
        )
        change_specimen(two, {"comment": "Before."})
    merged, go_on = threading.Event(), threading.Event()

    def merging() -> None:
        with transaction.atomic():
            merge(one, two)
            merged.set()
            go_on.wait(20)

    def writing() -> None:
        merged.wait(20)
        threading.Timer(0.5, go_on.set).start()
        change_specimen(two, {"comment": "Meanwhile."})

    assert at_once(alice.lab, merging, writing) == []
    with scope(lab=alice.lab):
        assert selectors.specimen_of(two, texts=True).comment == "Meanwhile."
        lain = Specimen.objects.get(case=two).__dict__["comment"].key_id
        assert lain == f"own:{known(one).patient}"


def test_a_page_of_cases_costs_no_query_and_a_patient_no_unwrapping_twice(alice, make, monkeypatch):
    unwrapped: list[Any] = []
    opened = PatientKey.own_key.func  # type: ignore[attr-defined]

    def counted(key):
        unwrapped.append(key.patient_id)
        return opened(key)

    monkeypatch.setattr(PatientKey.own_key, "func", counted)
    cases = [make(f"A-{number}", mrn=str(number), name="Ada", sex="female") for number in range(6)]
    unwrapped.clear()
    with _queries() as queries:
        selectors.identifiers_of(cases)
    assert len(queries) == 1
    assert len(unwrapped) == len(set(unwrapped)) == 6


def _queries():
    from django.test.utils import CaptureQueriesContext

    return CaptureQueriesContext(connection)


def test_who_may_not_see_patients_sees_nothing_of_merging(alice, make):
    first, _ = make("A-1", name="Ada"), make("A-2", name="Ida")
    dan = person(alice.lab, "Dan", Role.ADMIN)
    assert dan.browser.post(f"/cases/{first.id}/patient/merge/", {"accession": "A-2"}).status_code == 403
