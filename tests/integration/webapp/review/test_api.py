"""Readings by the API: their cells, gestures, what others did, and who may."""

import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope

from infra.client import labels
from tests.support.pages import add_cells, cell_of
from tests.support.people import Api, person
from tests.support.review import decide
from webapp.audit.models import Entry
from webapp.cases.models import Case, Review
from webapp.cases.services import change_identifiers, erase
from webapp.hematology.classes import REPORT_ORDER, UNIDENTIFIED
from webapp.inference.models import Chunk, Prediction
from webapp.labs.models import Lab
from webapp.labs.permissions import Permission, Role
from webapp.labs.tokens import issue_token
from webapp.review.models import CellState, Decision, Gesture, Reading
from webapp.review.services import CELLS_AT_ONCE, WORDS_LENGTH, open_reading

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
PAGE = "11111111-1111-4111-8111-111111111111"
OTHER_PAGE = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def colleague(alice):
    return person(alice.lab, "Olga", Role.PATHOLOGIST)


def send(someone, reading, *, base=0, client=PAGE, gesture=None, **asked):
    body = {"gesture": gesture or str(uuid.uuid4()), "client": client, "base_revision": base, **asked}
    return someone.api.send(f"/readings/{reading.id}/decisions/", body)


def chosen(cell_class, *cells, **more):
    return [{"cell": cell, "class": cell_class, **more} for cell in cells]


def sheet(answer, name):
    return {row["class"]: row["count"] for row in answer["differential"][name]["rows"] if row["count"]}


def errors(answer, status=400):
    assert answer.status_code == status, answer.content
    return answer.json()["error"]


# --- readings -------------------------------------------------------------------------------------


def test_a_reading_is_opened_once_and_found_again(alice, case, cells):
    made = alice.api.send(f"/cases/{case.id}/readings/", {"kind": "first"})
    assert made.status_code == 201
    again = alice.api.send(f"/cases/{case.id}/readings/", {"kind": "first"})
    assert (again.status_code, again.json()) == (200, made.json())
    listed = alice.api.read(f"/cases/{case.id}/readings/").json()
    assert listed == [made.json()]
    assert made.json()["reader"] == "Alice"
    told = alice.api.read(f"/readings/{made.json()['id']}/").json()
    assert (told["revision"], told["may_decide"], told["case"]) == (0, True, str(case.id))
    assert [row["code"] for row in told["classes"]] == list(REPORT_ORDER)
    assert {row["code"]: row["key"] for row in told["classes"]}["band_neutrophil"] == "d"
    assert {row["code"]: row["rolls_up_to"] for row in told["classes"]}["band_neutrophil"] == "neutrophil"
    both = told["differential"]
    assert (both["undecided"], both["unidentified"], both["not_classed"], both["full_count"]) == (
        3,
        1,
        0,
        100,
    )
    assert sheet(told, "suggested") == {"neutrophil": 2}
    assert sheet(told, "reviewed") == {}


def test_what_people_alone_say_has_no_row_in_what_is_suggested(alice, case, cells, reading):
    both = alice.api.read(f"/readings/{reading.id}/").json()["differential"]
    assert "blast" not in {row["class"] for row in both["suggested"]["rows"]}
    assert "blast" in {row["class"] for row in both["reviewed"]["rows"]}


@pytest.mark.parametrize(
    "body", [{}, {"kind": "third"}, {"kind": "teaching"}, {"kind": "first", "blinded": True}]
)
def test_a_reading_that_cannot_be_is_not_opened(alice, case, body):
    assert errors(alice.api.send(f"/cases/{case.id}/readings/", body))["fields"]
    assert not Reading.objects.exists()


def test_a_second_reading_needs_its_permission_and_is_its_readers(alice, case, cells, colleague):
    assert alice.api.send(f"/cases/{case.id}/readings/", {"kind": "second"}).status_code == 403
    made = colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "second", "blinded": False}).json()
    assert not made["blinded"]
    reading = Reading.objects.get(id=made["id"])
    assert alice.api.read(f"/readings/{reading.id}/").json()["may_decide"] is False
    assert send(alice, reading, confirm=cells).status_code == 403
    assert send(colleague, reading, confirm=cells).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        ([Permission.USE_TOKENS, Permission.VIEW_CASES, Permission.DECIDE], 403),
        ([Permission.USE_TOKENS, Permission.VIEW_CASES, Permission.READ_SECOND], 403),
        ([Permission.USE_TOKENS, Permission.VIEW_CASES, Permission.DECIDE, Permission.READ_SECOND], 201),
    ],
)
def test_a_token_reads_second_with_both_scopes(case, cells, colleague, scopes, status):
    _, secret = issue_token(colleague.membership, "test", scopes=scopes)
    api = Api(headers={"Authorization": f"Bearer {secret}"})
    assert api.send(f"/cases/{case.id}/readings/", {"kind": "second"}).status_code == status


def test_who_may_look_but_not_decide_decides_nothing(alice, case, cells, reading):
    supervisor = person(alice.lab, "Sue", Role.SUPERVISOR)
    assert supervisor.api.read(f"/readings/{reading.id}/").json()["may_decide"] is False
    assert supervisor.api.read(f"/readings/{reading.id}/cells/").status_code == 200
    assert send(supervisor, reading, confirm=cells).status_code == 403
    assert supervisor.api.send(f"/cases/{case.id}/readings/", {"kind": "first"}).status_code == 403
    assert not Decision.objects.exists()


# --- blinded --------------------------------------------------------------------------------------


def test_blinded_readings_see_nothing_of_each_other(alice, case, cells, reading, colleague):
    made = colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "second"}).json()
    assert made["blinded"]
    blinded = Reading.objects.get(id=made["id"])
    send(alice, reading, decisions=chosen("basophil", *cells))
    send(colleague, blinded, decisions=chosen("eosinophil", cells[0]))
    # Of the first reading its blinded colleague is shown nothing, by any address of the case.
    for path in ("", "cells/", f"cells/{cells[0]}/", f"cells/{cells[0]}/similar/"):
        assert colleague.api.read(f"/readings/{reading.id}/{path}").status_code == 404
    assert colleague.api.read(f"/readings/{reading.id}/changes/", since="0").status_code == 404
    assert send(colleague, reading, confirm=cells).status_code == 404
    assert [row["id"] for row in colleague.api.read(f"/cases/{case.id}/readings/").json()] == [blinded.id]
    assert colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "first"}).status_code == 404
    told = colleague.api.read(f"/cases/{case.id}/").json()["reviewed_differential"]
    assert {row["code"]: row["count"] for row in told["white_cells"] if row["count"]} == {"eosinophil": 1}
    assert "basophil" not in {
        row["cell_class"] for row in colleague.api.read(f"/cases/{case.id}/images/").json()["results"]
    }
    for address in (
        f"/cases/{case.id}/",
        f"/cases/{case.id}/gallery/",
        f"/cases/{case.id}/files/",
        f"/cases/{case.id}/live/",
        f"/cases/{case.id}/cells/{cells[1]}/",
    ):
        page = colleague.browser.get(address).content.decode()
        assert "Decided:</span> Basophil" not in page, address
        assert "Decided: Basophil" not in page, address
    # And nobody else is shown the blinded one.
    assert alice.api.read(f"/readings/{blinded.id}/").status_code == 404
    assert send(alice, blinded, confirm=cells).status_code == 404
    assert [row["id"] for row in alice.api.read(f"/cases/{case.id}/readings/").json()] == [reading.id]
    # Until the case is signed.
    Case.objects.update(review=Review.SIGNED)
    assert alice.api.read(f"/readings/{blinded.id}/").status_code == 200
    assert colleague.api.read(f"/readings/{reading.id}/").status_code == 200


def test_who_reads_blinded_opens_no_first_reading(case, cells, colleague):
    assert colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "second"}).status_code == 201
    assert colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "first"}).status_code == 404
    assert colleague.browser.post(f"/cases/{case.id}/review/").status_code == 302
    assert [reading.kind for reading in Reading.objects.all()] == ["second"]
    Case.objects.update(review=Review.SIGNED)
    answer = colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "first"})
    assert errors(answer, 409)["code"] == "review_over"


def test_who_decided_in_the_first_reading_cannot_read_blinded(case, cells, reading, colleague):
    send(colleague, reading, confirm=cells[:1])
    answer = colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "second"})
    assert errors(answer, 409)["code"] == "seen_already"
    assert Reading.objects.count() == 1
    open_ = colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "second", "blinded": False})
    assert open_.status_code == 201


# --- cells ----------------------------------------------------------------------------------------


def test_cells_come_by_class_those_to_be_looked_at_first(alice, case, cells, reading):
    first, second, unsure = cells
    add_cells(alice, case, "basophil", 0.8, distance=1.5)
    send(alice, reading, decisions=chosen("neutrophil", first))
    told = alice.api.read(f"/readings/{reading.id}/cells/").json()
    assert told["revision"] == 1
    assert [(one["class"], one["count"], one["undecided"], one["next"]) for one in told["sections"]] == [
        (UNIDENTIFIED, 1, 1, None), ("basophil", 1, 1, None), ("neutrophil", 2, 1, None),
    ]  # fmt: skip
    rows = [row for one in told["sections"] for row in one["cells"]]
    assert [row[0] for row in rows][0::2] == [unsure, second]
    assert rows[0][1:7] == ["monocyte", 0.4, 1, None, None, 360]
    assert rows[1][-1] == 1
    assert rows[-1] == [first, "neutrophil", 0.9, 0, "neutrophil", alice.membership.user.pk, 360, 0, 3, 0]
    assert told["people"] == {str(alice.membership.user.pk): "Alice"}
    assert len(told["mosaics"]) == 1
    assert alice.browser.get(told["mosaics"][0]).status_code == 200


def test_the_first_sections_come_whole_and_the_others_go_on(alice, case, reading):
    add_cells(alice, case, "basophil", *[0.8] * 5)
    add_cells(alice, case, "neutrophil", *[0.9 + place / 1000 for place in range(7)])
    add_cells(alice, case, "lymphocyte", 0.9)
    decide(reading, [cell_of(image).id for image in add_cells(alice, case, "neutrophil", 0.7, 0.6)],
           "neutrophil", by=alice.membership.user)  # fmt: skip
    told = alice.api.read(f"/readings/{reading.id}/cells/", limit="7").json()
    assert [(one["class"], len(one["cells"]), bool(one["next"])) for one in told["sections"]] == [
        ("basophil", 5, False), ("neutrophil", 2, True), ("lymphocyte", 0, True),
    ]  # fmt: skip
    seen = [row[0] for row in told["sections"][1]["cells"]]
    after, confidences = told["sections"][1]["next"], []
    while after:
        page = alice.api.read(
            f"/readings/{reading.id}/cells/", **{"class": "neutrophil", "after": after, "limit": "3"}
        ).json()["sections"]
        (section,) = page
        seen += [row[0] for row in section["cells"]]
        confidences += [(row[4] is not None, row[2]) for row in section["cells"]]
        after = section["next"]
    assert len(seen) == len(set(seen)) == 9
    assert confidences == sorted(confidences)
    assert [decided for decided, _ in confidences][-2:] == [True, True]
    last = told["sections"][2]["next"]
    (section,) = alice.api.read(
        f"/readings/{reading.id}/cells/", **{"class": "lymphocyte", "after": last}
    ).json()["sections"]
    assert len(section["cells"]) == 1


def test_cells_are_found_by_confidence_person_and_file(alice, case, cells, reading, colleague):
    send(alice, reading, decisions=chosen("basophil", cells[0]))
    send(colleague, reading, base=1, decisions=chosen("basophil", cells[1]), client=OTHER_PAGE)

    def found(**query):
        told = alice.api.read(f"/readings/{reading.id}/cells/", **query).json()
        return {row[0] for one in told["sections"] for row in one["cells"]}

    assert found() == set(cells)
    assert found(undecided="1") == {cells[2]}
    assert found(min_confidence="0.91") == {cells[1]}
    assert found(max_confidence="0.5") == {cells[2]}
    assert found(by=str(colleague.membership.user.pk)) == {cells[1]}
    assert found(file="MONO") == {cells[2]}
    assert found(file="nothing") == set()
    assert found(**{"class": "basophil", "min_confidence": "0.91"}) == {cells[1]}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "1001"},
        {"limit": "0"},
        {"class": "neutrophyl"},
        {"after": "0_0.5_1"},
        {"class": "neutrophil", "after": "nothing"},
        {"class": "neutrophil", "after": "0_nan_1"},
        {"class": "neutrophil", "after": f"0_0.5_{10**30}"},
        {"min_confidence": "2"},
        {"by": "x"},
    ],
)
def test_cells_that_cannot_be_asked_for(alice, reading, query):
    assert errors(alice.api.read(f"/readings/{reading.id}/cells/", **query))["fields"]


def test_similar_cells_come_nearest_first_of_the_case_alone(alice, case, reading):
    images = add_cells(alice, case, "neutrophil", *[0.9] * 4)
    ids = [cell_of(image).id for image in images]
    with scope(lab=alice.lab):
        for cell, vector in zip(ids, ([1, 0, 0], [0, 1, 0], [2, 0.2, 0], [1, 1, 0]), strict=True):
            said = np.array(vector, "<f2").tobytes()
            Prediction.objects.filter(cell=cell).update(embedding=said)
        (elsewhere,) = add_cells(alice, alice.case("B-2"), "neutrophil", 0.9)
        Prediction.objects.filter(cell__image=elsewhere).update(
            embedding=np.array([1, 0, 0], "<f2").tobytes()
        )
    told = alice.api.read(f"/readings/{reading.id}/cells/{ids[0]}/similar/").json()
    assert [row[0] for row in told["cells"]] == [ids[2], ids[3], ids[1]]
    two = alice.api.read(f"/readings/{reading.id}/cells/{ids[0]}/similar/", limit="2").json()
    assert [row[0] for row in two["cells"]] == [ids[2], ids[3]]
    assert alice.api.read(f"/readings/{reading.id}/cells/{cell_of(elsewhere).id}/similar/").status_code == 404


# --- gestures -------------------------------------------------------------------------------------


def test_a_gesture_decides_and_tells_both_differentials(alice, case, cells, reading):
    first, _, unsure = cells
    told = send(alice, reading, decisions=[*chosen("blast", unsure), *chosen("not_classed", first)]).json()
    assert told["revision"] == 2
    assert told["applied"] == [[unsure, "blast", 0], [first, "not_classed", 0]]
    assert (told["conflicts"], told["changes"], told["people"]) == ([], [], {})
    assert sheet(told, "reviewed") == {"blast": 1}
    assert sheet(told, "suggested") == {"neutrophil": 1}
    both = told["differential"]
    assert (both["undecided"], both["unidentified"], both["not_classed"]) == (1, 0, 1)
    assert both["reviewed"]["wbc_count"] == 1
    case.refresh_from_db()
    assert case.review == Review.IN_REVIEW


def test_what_was_suggested_then_is_kept_with_the_decision(alice, case, cells, reading):
    first, second, unsure = cells
    send(alice, reading, decisions=chosen("basophil", first, unsure))
    Prediction.objects.update(cell_class="eosinophil", confidence=0.1)  # as a re-run leaves it
    send(alice, reading, base=2, confirm=[second])
    kept = {row.cell_id: row for row in Decision.objects.all()}
    assert [
        (row.suggested_class, row.suggested_confidence, row.suggested_flagged, row.confirmed)
        for row in (kept[first], kept[unsure], kept[second])
    ] == [
        ("neutrophil", 0.9, False, False),
        ("monocyte", 0.4, True, False),
        ("eosinophil", 0.1, False, True),
    ]
    assert {row.model_version.name for row in kept.values() if row.model_version} == {"hematovision"}
    assert kept[second].cell_class == "eosinophil"


def test_confirming_agrees_with_flagged_suggestions_too_and_a_suggestion_is_no_decision(
    alice, cells, reading
):
    assert sheet(alice.api.read(f"/readings/{reading.id}/").json(), "reviewed") == {}
    told = send(alice, reading, confirm=[cells[0], cells[2]]).json()
    assert told["applied"] == [[cells[0], "neutrophil", 1], [cells[2], "monocyte", 1]]
    assert sheet(told, "reviewed") == {"neutrophil": 1, "monocyte": 1}
    assert sheet(told, "suggested") == {"neutrophil": 1}


def test_a_suggestion_that_changed_since_it_was_seen_is_not_confirmed(alice, cells, reading):
    Prediction.objects.filter(cell=cells[0]).update(cell_class="eosinophil")
    told = send(alice, reading, confirm=cells[:2], seen=["neutrophil", "neutrophil"]).json()
    assert told["applied"] == [[cells[1], "neutrophil", 1]]
    assert told["conflicts"] == [
        {
            "class": None,
            "cell": cells[0],
            "by": None,
            "number": 0,
            "suggested": "eosinophil",
            "flagged": False,
        }
    ]


def test_of_a_cell_without_a_suggestion_there_is_nothing_to_confirm(alice, cells, reading):
    Prediction.objects.filter(cell=cells[0]).update(current=False)
    assert errors(send(alice, reading, confirm=cells), 409)["code"] == "no_suggestion"
    assert not Decision.objects.exists()
    told = send(alice, reading, decisions=chosen("monocyte", cells[0])).json()
    assert told["applied"] == [[cells[0], "monocyte", 0]]
    assert Decision.objects.get().suggested_class == ""


def test_a_gesture_sent_again_is_done_once(alice, cells, reading, colleague):
    gesture = str(uuid.uuid4())
    body = {"gesture": gesture, "decisions": chosen("other", *cells, words="like a blast")}
    first = send(alice, reading, **body)
    assert send(alice, reading, **body).json() == first.json()
    assert (Gesture.objects.count(), Decision.objects.count()) == (1, 3)
    differing = [
        {"decisions": chosen("basophil", *cells)},
        {"decisions": chosen("other", *cells[:2], words="like a blast")},
        {"decisions": chosen("other", *cells, words="like a monocyte")},
        {"decisions": chosen("other", *cells)},
        {"confirm": cells},
        {"undo": gesture},
    ]
    for asked in differing:
        answer = send(alice, reading, gesture=gesture, **asked)
        if asked != {"decisions": chosen("other", *cells)}:
            assert errors(answer, 409)["code"] == "gesture_differs", asked
    assert errors(send(colleague, reading, **body), 409)["code"] == "gesture_differs"
    Case.objects.update(review=Review.SIGNED)
    assert send(alice, reading, **body).json() == first.json()  # it was done while the case was open
    assert Decision.objects.count() == 3


def test_what_another_decided_meanwhile_is_not_overwritten(alice, cells, reading, colleague):
    first, second, unsure = cells
    send(colleague, reading, decisions=chosen("lymphocyte", first, unsure), client=OTHER_PAGE)
    told = send(alice, reading, decisions=chosen("basophil", first, second)).json()
    by = colleague.membership.user.pk
    assert told["applied"] == [[second, "basophil", 0]]
    assert told["conflicts"] == [
        {
            "class": "lymphocyte",
            "cell": first,
            "by": by,
            "number": 1,
            "suggested": "neutrophil",
            "flagged": False,
        }
    ]
    assert told["changes"] == [
        {"class": "lymphocyte", "cell": first, "by": by, "number": 1},
        {"class": "lymphocyte", "cell": unsure, "by": by, "number": 2},
    ]
    assert told["people"] == {str(by): "Olga"}
    assert told["revision"] == 3
    # Asked, Alice says it again, knowing what her colleague said.
    assert send(alice, reading, base=3, decisions=chosen("basophil", first)).json()["conflicts"] == []
    assert CellState.objects.get(cell=first).cell_class == "basophil"
    assert Decision.objects.count() == 4


def test_ones_own_page_is_never_in_conflict_with_itself(alice, cells, reading):
    for cell_class in ("basophil", "monocyte", "blast"):  # sent before any answer came
        assert send(alice, reading, base=0, decisions=chosen(cell_class, *cells)).json()["conflicts"] == []
    assert set(CellState.objects.values_list("cell_class", flat=True)) == {"blast"}


def test_a_gesture_that_came_too_late_for_all_its_cells_is_kept_and_changes_nothing(
    alice, case, cells, reading, colleague
):
    send(colleague, reading, decisions=chosen("lymphocyte", *cells), client=OTHER_PAGE)
    gesture = str(uuid.uuid4())
    told = send(alice, reading, gesture=gesture, confirm=cells).json()
    assert (told["applied"], len(told["conflicts"]), told["revision"]) == ([], 3, 3)
    assert send(alice, reading, gesture=gesture, confirm=cells).json() == told
    assert Gesture.objects.get(id=gesture).n == 0


# --- undo -----------------------------------------------------------------------------------------


def test_one_gesture_is_one_undo_and_undoing_that_does_it_again(alice, case, cells, reading):
    first, second, unsure = cells
    one, two, three, four = (str(uuid.uuid4()) for _ in range(4))
    send(alice, reading, gesture=one, confirm=[first])
    send(alice, reading, gesture=two, decisions=chosen("other", first, unsure, words="odd"))
    told = send(alice, reading, base=3, gesture=three, undo=two).json()
    assert told["applied"] == [[first, "neutrophil", 1], [unsure, None, 0]]
    assert sheet(told, "reviewed") == {"neutrophil": 1}
    assert told["differential"]["unidentified"] == 1
    assert {row[0]: row[4] for one in cells_of(alice, reading) for row in one["cells"]} == {
        first: "neutrophil", second: None, unsure: None,
    }  # fmt: skip
    again = send(alice, reading, base=5, gesture=four, undo=three).json()
    assert again["applied"] == [[first, "other", 0], [unsure, "other", 0]]
    assert [row.words for row in Decision.objects.order_by("number")] == [
        "",
        "odd",
        "odd",
        "",
        "",
        "odd",
        "odd",
    ]
    # Undone again, and then what was before it: to the start.
    send(alice, reading, base=7, undo=four)
    told = send(alice, reading, base=9, undo=one).json()
    assert told["applied"] == [[first, None, 0]]
    assert (told["conflicts"], sheet(told, "reviewed")) == ([], {})
    assert told["differential"]["undecided"] == 3


def cells_of(someone, reading):
    return someone.api.read(f"/readings/{reading.id}/cells/").json()["sections"]


def test_undo_reaches_back_over_many_gestures_on_one_cell(alice, cells, reading):
    gestures = [str(uuid.uuid4()) for _ in range(4)]
    classes = ["basophil", "monocyte", "blast", "lymphocyte"]
    for gesture, cell_class in zip(gestures, classes, strict=True):
        send(alice, reading, gesture=gesture, decisions=chosen(cell_class, cells[0]))
    undone = []
    for gesture in reversed(gestures):
        undone.append(str(uuid.uuid4()))
        told = send(alice, reading, gesture=undone[-1], undo=gesture).json()
        assert told["conflicts"] == []
    assert told["applied"] == [[cells[0], None, 0]]
    for gesture, cell_class in zip(reversed(undone), classes, strict=True):
        told = send(alice, reading, undo=gesture).json()
        assert told["applied"] == [[cells[0], cell_class, 0]]


def test_what_was_decided_since_is_not_undone(alice, cells, reading, colleague):
    gesture = str(uuid.uuid4())
    send(alice, reading, gesture=gesture, decisions=chosen("basophil", *cells[:2]))
    send(colleague, reading, base=2, decisions=chosen("blast", cells[0]), client=OTHER_PAGE)
    told = send(alice, reading, base=3, undo=gesture).json()
    assert told["applied"] == [[cells[1], None, 0]]
    assert [(one["cell"], one["class"]) for one in told["conflicts"]] == [(cells[0], "blast")]


def test_only_ones_own_gestures_of_this_reading_are_undone(alice, case, cells, reading, colleague):
    gesture = str(uuid.uuid4())
    send(alice, reading, gesture=gesture, confirm=cells)
    second = open_reading(case, Reading.Kind.SECOND, reader=colleague.membership.user)
    for someone, where in ((colleague, reading), (colleague, second)):
        assert "undo" in errors(send(someone, where, base=0, undo=gesture))["fields"]
    assert "undo" in errors(send(alice, reading, undo=str(uuid.uuid4())))["fields"]
    assert Decision.objects.count() == 3


# --- what others did ------------------------------------------------------------------------------


def test_changes_tell_what_others_did_and_nothing_where_nothing_was(alice, cells, reading, colleague):
    path = f"/readings/{reading.id}/changes/"
    assert alice.api.read(path, since="0").status_code == 204
    send(colleague, reading, decisions=chosen("blast", cells[0]), client=OTHER_PAGE)
    send(colleague, reading, base=1, decisions=chosen("lymphocyte", *cells[:2]), client=OTHER_PAGE)
    by = colleague.membership.user.pk
    told = alice.api.read(path, since="0").json()
    assert told["revision"] == 3
    assert told["changes"] == [
        {"class": "lymphocyte", "cell": cells[0], "by": by, "number": 2},
        {"class": "lymphocyte", "cell": cells[1], "by": by, "number": 3},
    ]
    assert told["people"] == {str(by): "Olga"}
    assert sheet(told, "reviewed") == {"lymphocyte": 2}
    assert [one["cell"] for one in alice.api.read(path, since="2").json()["changes"]] == [cells[1]]
    assert alice.api.read(path, since="3").status_code == 204
    assert "since" in errors(alice.api.read(path, since="4"))["fields"]
    assert "since" in errors(alice.api.read(path))["fields"]


def test_that_the_model_was_asked_again_is_news_to_who_says_what_it_knows(alice, case, cells, reading):
    path = f"/readings/{reading.id}/changes/"
    known = alice.api.read(f"/readings/{reading.id}/cells/").json()["suggestions"]
    assert known == 0
    send(alice, reading, decisions=chosen("blast", cells[0]))
    assert alice.api.read(path, since="1", suggestions="0").status_code == 204
    for state in (Chunk.State.QUEUED, Chunk.State.DONE):  # as a re-run begins, and ends
        Chunk.objects.create(lab=alice.lab, case=case, queue="bulk", live_only=True, state=state)
    told = alice.api.read(path, since="1", suggestions="0").json()
    assert (told["suggestions"], told["revision"], told["changes"]) == (1, 1, [])
    assert sheet(told, "reviewed") == {"blast": 1}
    assert alice.api.read(path, since="1", suggestions="1").status_code == 204
    assert alice.api.read(path, since="1").status_code == 204
    assert alice.api.read(f"/readings/{reading.id}/cells/").json()["suggestions"] == 1
    assert "suggestions" in errors(alice.api.read(path, since="1", suggestions="-1"))["fields"]


# --- bad input ------------------------------------------------------------------------------------


def test_cells_of_another_case_or_lab_are_named_and_nothing_is_decided(alice, charlie, case, cells, reading):
    (other,) = add_cells(alice, alice.case("B-2"), "neutrophil", 0.9)
    with scope(lab=charlie.lab):
        (foreign,) = add_cells(charlie, charlie.case(), "neutrophil", 0.9)
    for wrong in (cell_of(other).id, cell_of(foreign).id, 10**15):
        for asked in ({"decisions": chosen("blast", cells[0], wrong)}, {"confirm": [cells[0], wrong]}):
            ((name, _),) = asked.items()
            found = errors(send(alice, reading, **asked))["fields"]
            assert found == {name: {str(wrong): ["There is no such cell in this case."]}}
    assert not Decision.objects.exists()
    case.refresh_from_db()
    assert case.review == Review.OPEN


def test_unknown_classes_and_those_the_lab_does_not_use_are_named(alice, cells, reading):
    Lab.objects.update(classes=[code for code in REPORT_ORDER if code != "blast"])
    for cell_class, message in (
        ("blastt", "There is no such class."),
        (UNIDENTIFIED, "There is no such class."),
        ("", "This field may not be blank."),
        ("blast", "The lab does not use this class."),
    ):
        asked = [*chosen("monocyte", cells[0]), *chosen(cell_class, cells[1])]
        assert message in str(errors(send(alice, reading, decisions=asked))["fields"])
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"decisions": []},
        {"confirm": []},
        {"decisions": [{"cell": 1}]},
        {"decisions": [{"cell": 1, "class": "blast"}], "confirm": [1]},
        {"decisions": [{"cell": 1, "class": "blast"}, {"cell": 1, "class": "monocyte"}]},
        {"confirm": [1, 1]},
        {"confirm": [1], "seen": []},
        {"confirm": [1], "seen": ["monocyte", "blast"]},
        {"confirm": [-1]},
        {"confirm": [10**30]},
        {"undo": "not a uuid"},
        {"confirm": [1], "gesture": "1"},
        {"confirm": [1], "client": ""},
        {"confirm": [1], "base_revision": -1},
        {"decisions": [{"cell": 1, "class": "other", "words": "x" * 201}]},
        {"decisions": [{"cell": 1, "class": "other", "words": "hid\u202eden"}]},
        {"decisions": chosen("blast", *range(1, 1002))},
        {"confirm": [*range(1, 1002)]},
    ],
)
def test_what_cannot_be_asked_for_is_answered_and_nothing_done(alice, reading, asked):
    body = {"gesture": str(uuid.uuid4()), "client": PAGE, "base_revision": 0, **asked}
    assert errors(alice.api.send(f"/readings/{reading.id}/decisions/", body))["fields"]
    assert not Gesture.objects.exists()


def test_a_revision_that_was_not_reached_is_answered_and_nothing_done(alice, cells, reading):
    assert "base_revision" in errors(send(alice, reading, base=1, confirm=cells))["fields"]
    assert not Gesture.objects.exists()


@pytest.mark.parametrize("review", [Review.SIGNED, Review.AMENDED, Review.VOID])
def test_nothing_is_decided_once_the_review_is_over(alice, case, cells, reading, review, colleague):
    assert alice.api.read(f"/readings/{reading.id}/").json()["may_decide"]
    Case.objects.update(review=review)
    assert not alice.api.read(f"/readings/{reading.id}/").json()["may_decide"]
    assert errors(send(alice, reading, confirm=cells), 409)["code"] == "review_over"
    answer = colleague.api.send(f"/cases/{case.id}/readings/", {"kind": "second"})
    assert errors(answer, 409)["code"] == "review_over"
    assert Reading.objects.count() == 1


def test_a_case_still_classifying_is_decided_as_far_as_it_is_there(alice, case, cells, reading):
    Case.objects.update(processing="classifying")
    assert send(alice, reading, confirm=cells).status_code == 200


def test_another_labs_reading_is_not_there(alice, charlie, cells, reading):
    member = person(charlie.lab, "Carl", Role.PATHOLOGIST)
    assert member.api.read(f"/readings/{reading.id}/").status_code == 404
    assert send(member, reading, confirm=cells).status_code == 404
    assert Entry.objects.filter(chain=charlie.lab.id, action="access.denied").exists()


# --- words ----------------------------------------------------------------------------------------


def test_words_lie_sealed_and_are_shown_to_who_sees_patients_and_on_record(alice, case, cells, reading):
    send(alice, reading, decisions=chosen("other", cells[0], words="  like Ada's   cells "))
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM review_decision")
        assert b"Ada" not in bytes(cursor.fetchone()[0])
    Entry.objects.count()
    path = f"/readings/{reading.id}/cells/{cells[0]}/"
    told = alice.api.read(path).json()
    assert told["cell"] == cells[0]
    assert told["file"] == "neutrophil-0.jpg"
    said = told["decision"]
    assert (said["class"], said["words"], said["by"], said["confirmed"]) == (
        "other", "like Ada's cells", "Alice", False,
    )  # fmt: skip
    assert (said["suggested_class"], said["suggested_confidence"]) == ("neutrophil", 0.9)
    assert Entry.objects.filter(chain=alice.lab.id, action="case.identifiers_shown").count() == 1
    supervisor = person(alice.lab, "Sue", Role.SUPERVISOR)
    assert supervisor.api.read(path).json()["decision"]["words"] is None
    assert alice.api.read(f"/readings/{reading.id}/cells/{cells[1]}/").json()["decision"] is None
    for listing in ("cells/", "changes/?since=0", ""):
        assert b"Ada" not in alice.api.get(f"/api/v1/readings/{reading.id}/{listing}").content


def test_the_command_line_knows_how_much_is_taken():
    assert (labels.BATCH, labels.WORDS_LENGTH) == (CELLS_AT_ONCE, WORDS_LENGTH)


def test_of_an_erased_patient_cells_are_decided_without_words(alice, case, cells, reading):
    change_identifiers(case, {"name": "Ada Lovelace", "mrn": "1"})
    gesture = str(uuid.uuid4())
    send(alice, reading, gesture=gesture, decisions=chosen("other", cells[0], words="like Ada's"))
    case.refresh_from_db()
    erase(case.patient)
    told = send(alice, reading, base=1, decisions=chosen("other", cells[1], words="more"))
    assert errors(told, 409)["code"] == "patient_erased"
    assert send(alice, reading, base=1, decisions=chosen("blast", *cells[:2])).status_code == 200
    read = alice.api.read(f"/readings/{reading.id}/cells/{cells[0]}/").json()["decision"]
    assert (read["class"], read["words"]) == ("blast", None)
    assert send(alice, reading, base=3, undo=gesture).json()["conflicts"] != []


def test_what_is_undone_to_words_of_an_erased_patient_comes_back_without(alice, case, cells, reading):
    change_identifiers(case, {"name": "Ada Lovelace", "mrn": "1"})
    send(alice, reading, decisions=chosen("other", cells[0], words="like Ada's"))
    gesture = str(uuid.uuid4())
    send(alice, reading, gesture=gesture, decisions=chosen("blast", cells[0]))
    case.refresh_from_db()
    erase(case.patient)
    assert send(alice, reading, base=2, undo=gesture).json()["applied"] == [[cells[0], "other", 0]]


# --- the trail, and what it costs -----------------------------------------------------------------


def test_the_trail_tells_of_a_persons_gestures_once_a_minute(alice, cells, reading, colleague):
    gesture = str(uuid.uuid4())
    send(alice, reading, gesture=gesture, confirm=cells)
    for base in (3, 6):
        send(alice, reading, base=base, undo=gesture)
    send(colleague, reading, base=6, decisions=chosen("blast", cells[0]), client=OTHER_PAGE)
    told = Entry.objects.filter(chain=alice.lab.id, action="case.cells_decided").order_by("seq")
    minute = timezone.now() - timedelta(minutes=1)
    assert minute < told[0].at
    assert len(told) in (2, 3)  # three, if the minute ended meanwhile
    assert told[0].after == {"reading": reading.id, "first": 1}


def test_a_gesture_costs_the_same_for_few_cells_and_for_many(alice, case, reading):
    many = [cell_of(image).id for image in add_cells(alice, case, "neutrophil", *[0.9] * 200)]
    send(alice, reading, confirm=many[:1])
    costs = []
    for base, wanted in ((1, many[:2]), (3, many[:-1])):
        with CaptureQueriesContext(connection) as captured:
            assert send(alice, reading, base=base, decisions=chosen("blast", *wanted)).status_code == 200
        costs.append(len(captured))
    assert costs[0] == costs[1] <= 24
