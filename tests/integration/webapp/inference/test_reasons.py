"""Why a file was refused, or waits, for readers whose lab has switched its language since."""

import uuid

import pytest
from django.db import connection
from django.db.migrations import RunSQL
from django.utils import timezone
from django_scopes import scope

from serving.contract.sentence import N_, Sentence
from tests.support.spoken import spoken
from webapp.api.inference.serializers import DeadLetterSerializer, reason_of
from webapp.cases.models import Image
from webapp.cases.refusals import Refusal
from webapp.inference import rows, services
from webapp.inference.answers import Refused
from webapp.inference.models import Chunk
from webapp.inference.selectors import class_name, dead_letters, model_notice
from webapp.language.migrating import carry_over

LARGE = Sentence(N_("The %(format)s needs %(megabytes)s MB of memory"), {"format": "TIFF", "megabytes": 900})
GERMAN = {
    "The %(format)s needs %(megabytes)s MB of memory": "%(megabytes)s MB Speicher für %(format)s",
    "The file is empty. Export it again from the camera software.": "Die Datei ist leer.",
    "The model server does not answer.": "Der Modellserver antwortet nicht.",
    "%(why)s %(n)s image is kept safe and will be tried again until it works.": "%(why)s (%(n)s Bild)",
    "The same image is in this case as %(name)s; it is counted once.": "Doppelt: %(name)s",
    "Neutrophil": "Neutrophiler",
    "Unidentified": "Unbestimmt",
}


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()


@pytest.fixture
def image(case):
    return Image.objects.create(
        lab_id=case.lab_id,
        case=case,
        name="a.tif",
        key=uuid.uuid4().hex,
        bytes=1,
        status=Image.Status.RECEIVED,
    )


@pytest.fixture
def claimed(case, image):
    services.enqueue_images(case, [image.id])
    return services.claim(Chunk.objects.get(images=image).id, holder="worker/1", redelivered=False)


def read_again(image):
    return Image.objects.get(id=image.id)


@pytest.mark.parametrize(
    ("refused", "english", "german"),
    [
        ({"refusal": Refusal.TOO_COSTLY, "reason": LARGE}, str(LARGE), "900 MB Speicher für TIFF"),
        ({"refusal": Refusal.EMPTY}, Refusal.EMPTY.label, "Die Datei ist leer."),
        (
            {"refusal": Refusal.DAMAGED, "reason": Sentence("Of a release that nobody knows: 100 %")},
            "Of a release that nobody knows: 100 %",
            "Of a release that nobody knows: 100 %",
        ),
    ],
)
def test_a_file_refused_in_english_is_shown_in_the_new_language(image, claimed, refused, english, german):
    services.record(claimed, None, [], [Refused(image.id, **refused)], "")
    assert read_again(image).detail == english
    with spoken(GERMAN):
        found = read_again(image)
        assert found.detail == german
        assert reason_of(found) == {"code": refused["refusal"].value, "message": german}


def test_a_file_refused_in_another_language_is_shown_in_english(image, claimed):
    with spoken(GERMAN):
        services.record(claimed, None, [], [Refused(image.id, Refusal.TOO_COSTLY, LARGE)], "")
    assert read_again(image).detail == str(LARGE)


def test_refused_and_accepted_after_all_it_has_no_reason(image, case):
    rows.refuse(
        [
            Refused(image.id, Refusal.DAMAGED, LARGE),
        ],
        timezone.now(),
    )
    Image.objects.filter(id=image.id).update(reason=None, refusal="")
    assert read_again(image).detail == ""
    assert Image.objects.filter(reason__isnull=True).exists()


def test_a_reason_taken_back_from_many_at_once_is_none(image):
    image.reason = LARGE
    image.save()
    image.reason = None
    Image.objects.bulk_update([image], ["reason"])
    assert Image.objects.filter(id=image.id, reason__isnull=True).exists()


@pytest.mark.parametrize(
    "stored", ['"It broke."', '{"text": "It broke.", "values": 7}', '{"text": "It broke."}']
)
def test_what_somebody_else_stored_is_shown_all_the_same(image, stored):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_image SET reason = %s, status = 'failed'", [stored])
    assert reason_of(read_again(image)) == {"code": "failed", "message": "It broke."}


def test_why_images_wait_is_said_in_the_language_of_who_looks(case, claimed):
    services.defer(claimed, Sentence(N_("The model server does not answer.")))
    assert model_notice(case) == (
        "The model server does not answer. 1 image is kept safe and will be tried again until it works."
    )
    with spoken(GERMAN):
        assert model_notice(case) == "Der Modellserver antwortet nicht. (1 Bild)"


def test_so_is_why_a_chunk_is_a_dead_letter(image, claimed):
    services.dead_letter(claimed, Sentence(N_("The model server does not answer.")))
    with spoken(GERMAN):
        (letter,) = DeadLetterSerializer(dead_letters(), many=True).data
        assert letter["error"] == read_again(image).detail == "Der Modellserver antwortet nicht."


def test_so_are_names_of_classes():
    with spoken(GERMAN):
        assert (class_name("neutrophil"), class_name("unidentified")) == ("Neutrophiler", "Unbestimmt")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("", ""),
        ("The model server does not answer.", "Der Modellserver antwortet nicht."),
        ("The TIFF needs 900 MB of memory", "The TIFF needs 900 MB of memory"),
        ("90 % of %(it)s", "90 % of %(it)s"),
    ],
)
def test_english_of_the_release_before_is_taken_over(image, kept, said):
    (copying,) = (step for step in carry_over("image", "cases_image", "detail") if isinstance(step, RunSQL))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_image SET detail = %s, status = 'failed'", [kept])
        cursor.execute(str(copying.sql))
    with spoken(GERMAN):
        assert read_again(image).detail == said
