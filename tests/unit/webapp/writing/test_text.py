"""Names and notes as keyboards, barcode readers and word processors hand them over."""

import unicodedata

import pytest

from webapp.writing.text import lines, one_line, shown, unseen

KEPT = [
    "Nguyễn Thị Ánh",
    "O’Brien-Smythe",
    "d'Artagnan",
    "می‌خواهم زاده",  # ZWNJ between letters
    "ශ්‍රී ලංකා",  # ZWJ after a virama
    "രാജന്‍",  # and at a word's end, as chillus were written before Unicode 5.1
    "José 山田",
    "葛\U000e0100城",  # one of the ways to write the first letter
    "Łukasz Ķ",
]


@pytest.mark.parametrize("name", KEPT)
def test_names_of_the_world_stay_as_they_are(name):
    assert one_line(name) == unicodedata.normalize("NFC", name)
    assert unseen(one_line(name)) is None
    assert shown(name) == one_line(name)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("山田　太郎", "山田 太郎"),
        ("Jean\u00a0d’Orbigny", "Jean d’Orbigny"),
        (" Ann\t Lee \r\n", "Ann Lee"),
        ("Ann\r\nBcc: all@hospital.example", "Ann Bcc: all@hospital.example"),
        ("Ann\u2028Lee\u0085", "Ann Lee"),
        ("Re\u0301ne\u0301e", "Rénée"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\u202eeeL nnA", "eeL nnA"),
        ("\u2067Ann\u2069 \u200fLee\ufeff", "Ann Lee"),
        ("A\u200bn\u2060n", "Ann"),
        ("\u200dAnn\u200c", "Ann"),
        ("Ann \u200c Lee", "Ann Lee"),
        ("tag\U000e0041ged", "tagged"),
        ("Ann\u3164", "Ann"),
        ("\u3164", ""),
        ("\u2800\u115f\u1160\uffa0", ""),
        ("An\u034fn\ufe0f\U000e0100", "Ann"),
        ("\ufe00", ""),
    ],
)
def test_what_nobody_sees_is_made_even(written, kept):
    assert one_line(written) == kept
    assert one_line(kept) == kept
    assert unseen(kept) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Ann\x00Lee", "U+0000 (a control character), which is number 4 of its characters"),
        ("\x1bAnn", "U+001B (a control character), which is number 1 of its characters"),
        ("Ann\ue000", "U+E000 (of no meaning in Unicode), which is number 4 of its characters"),
        ("Ann\ud800", "U+D800 (of no meaning in Unicode), which is number 4 of its characters"),
    ],
)
def test_what_hides_is_named_with_its_place(written, said):
    assert unseen(one_line(written)) == said
    assert shown(written) == "Ann Lee" if "Lee" in written else shown(written) == "Ann"


def test_notes_pasted_from_word():
    pasted = "“Relapse?”\r\nsee\x0bfilm\u00a0of 3\u202fMay –\tnow\u00ad\r\n\x07cell\x1ehyphen\x1fated\r\r\n"
    assert lines(pasted) == "“Relapse?”\nsee\nfilm of 3 May –\tnow\n\tcell-hyphenated"
    assert unseen(lines(pasted), allowed="\n\t") is None
    assert lines("\uf0b7\tanaemia\n\uf0d8\tsee 3") == "•\tanaemia\n➢\tsee 3"
    assert lines("山田　はい") == "山田　はい"
    assert (
        unseen(lines("a\x08b"), allowed="\n\t")
        == "U+0008 (a control character), which is number 2 of its characters"
    )
