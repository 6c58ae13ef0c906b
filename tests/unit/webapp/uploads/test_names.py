import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.uploads.names import LONGEST, may_be_image, shown_name


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("cell.jpg", "cell.jpg"),
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\Ann\\cell 1.png", "cell 1.png"),
        ("a\"b'c<d>.jpg", "a\"b'c<d>.jpg"),
        ("🩸 sang.jpg", "🩸 sang.jpg"),
        ("line\nbreak\x00.jpg", "linebreak.jpg"),
        ("gpj.\u202eexe.jpg", "gpj.exe.jpg"),  # right-to-left override
        ("..", "unnamed"),
        ("folder/", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_names_are_safe_to_show(given_name, shown):
    assert shown_name(given_name) == shown


def test_a_long_name_keeps_its_extension():
    shown = shown_name("x" * 300 + ".jpeg")
    assert len(shown) == LONGEST
    assert shown.endswith("….jpeg")


@given(st.text(max_size=400))
def test_any_name_fits_and_has_no_folder(name):
    shown = shown_name(name)
    assert 0 < len(shown) <= LONGEST
    assert "/" not in shown
    assert "\x00" not in shown


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        ("a.JPG", True),
        ("a.jfif", True),
        ("a.gif", False),
        ("a.docx", False),
        ("DSC0001", True),
        ("odd.xyz", True),
    ],
)
def test_the_content_decides_where_the_name_says_nothing(name, yes):
    assert may_be_image(name) is yes
