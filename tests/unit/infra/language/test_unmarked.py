"""What the check for unmarked strings finds, and what it leaves alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.language.unmarked import python, scripts, templates
from infra.language.unmarked.findings import GLUED

ROOT = Path(__file__).parents[4]


def found(check, source: str, name: str = "x.html") -> list[tuple[int, str]]:
    return [(finding.line, finding.said) for finding in check(name, source)]


# --- templates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<p>Cases</p>", "Cases"),
        ("{% block title %}Cases · HematoVision{% endblock %}", "Cases · HematoVision"),
        ('<p>{% translate "In" %} the lab</p>', "… the lab"),
        ("<p>{{ n }} cells</p>", "… cells"),
        ("<p>{% if x %}one{% endif %}</p>", "one"),
        ('<a title="Next cell">→</a>', 'title="Next cell"'),
        ('<img alt="A cell">', 'alt="A cell"'),
        ('<nav aria-label="Main"></nav>', 'aria-label="Main"'),
        ('<input placeholder="starts with…">', 'placeholder="starts with…"'),
        ('<td data-label="expires"></td>', 'data-label="expires"'),
        ('<input type="submit" value="Save">', 'value="Save"'),
        ('{{ name|default:"never" }}', '"never"'),
        ('{{ open|yesno:"open,shut" }}', '"open,shut"'),
        ('{% include "a.html" with title="Cases of today" %}', '"Cases of today"'),
        ("{{ n }}{{ n|pluralize }}", "n|pluralize"),
        ('{{ "All of them"|upper }}', '"All of them"'),
        ('{% with heading="Cases" %}{% endwith %}', '"Cases"'),
        ('{% include "a.html" with title="Cases" %}', '"Cases"'),
        ('{% firstof name "Nobody" %}', '"Nobody"'),
        ('<meta name="description" content="What it is for.">', 'content="What it is for."'),
    ],
)
def test_what_a_template_says_is_found(source, said):
    assert found(templates.check, f"\n{source}") == [(2, said)]


@pytest.mark.parametrize(
    "source",
    [
        '<p class="quiet small" id="cases">{% translate "Cases" %} · HematoVision, {{ n }} µm</p>',
        '{% blocktranslate count n=n %}<a href="/" title="it">One</a>{% plural %}More{% endblocktranslate %}',
        '<a {% if x %}aria-current="page"{% endif %} href="?q=a b">{{ name|default:_("never") }}</a>',
        "{# a comment of ours #}{% comment %}and a longer one{% endcomment %}<!-- and one of HTML -->",
        "<script>let it = 'be so';</script><style>p { color: red }</style>",
        '<input type="text" value="a value" name="their name">{% include "a.html" with tab="settings" %}',
        "<p>Google Authenticator</p> {# untranslated: a name #}",
        '{{ at|date:"j M Y" }}{{ items|join:", " }}{{ name|default:"–" }}',
    ],
)
def test_what_a_template_has_marked_or_does_not_say_is_left_alone(source):
    assert found(templates.check, source) == []


def test_a_mail_is_a_template_without_tags():
    assert found(templates.check, "{% translate 'Hello' %},\nyour code", "mail.txt") == [(1, "…,\nyour code")]


# --- Python -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('x = "Two words"', "Two words"),
        ('raise ValueError("Not a network.")', "Not a network."),
        ('x = f"{n} of them all"', "… of them all"),
        ('form = forms.CharField(help_text="Of the specimen.")', "Of the specimen."),
        ('class Gone(Exception):\n    def __str__(self): return "It is gone."', "It is gone."),
        ('print("one thing" if x else _("another thing"))', "one thing"),
        ('render(request, "a.html", {"heading": "Two words"})', "Two words"),
        ('render_to_string("a.txt", {"heading": "Two words"})', "Two words"),
        ('x = {"a": "Two words"}[kind]', "Two words"),
        ('x = ("Two words", "one")[n > 1]', "Two words"),
        ('x = f"{n} images"', "… images"),
        ('x = f"Open {name}"', "Open …"),
        ('x = "Open %s" % name', "Open %s"),
        ('x = "{} images".format(n)', "{} images"),
    ],
)
def test_prose_of_python_is_found(source, said):
    assert [text for _, text in found(python.check, source, "x.py")] == [said]


@pytest.mark.parametrize(
    "source",
    [
        '_("Two words")',
        'ngettext("%(n)s cell is", "%(n)s cells are", n)',
        'x = gettext_lazy("Two " "words")',
        'SENTENCE = Sentence(N_("Two %(x)s words"), {"x": 1})',
        '"""A module."""\nclass A:\n    """A class."""\n    x = 1\n    """What it is."""',
        'log.warning("something happened", error=f"{a} in {b} there")',
        'raise ImproperlyConfigured("Set this one.")',
        'assert x, "it must be so"',
        'seconds = Histogram("a_name", "How long it takes.")',
        'def _gauge(name, help_text): ...\n_gauge("a", "How many there are.")',
        'name = models.CharField(help_text="What it is called.")',
        '@extend_schema(description="What it does.")\ndef f(): ...',
        'class Lab(models.Model):\n    def __str__(self): return f"{self.user} in the lab"',
        'cursor.execute("SELECT a FROM b")\nSQL = "  UPDATE a SET b = 1"',
        'if kind == "two words" or given["two words"]: ...',
        'answer = {"Cache-Control": "private, no-store"}\nanswer["Content-Type"] = "text/html; charset=x"',
        'x = "two words"  # untranslated: a name',
        '# untranslated: names\nx = [\n    "two words",\n    "three more words",\n]',
        'x = "oneword"\ny = f"{a}/{b}"\nz = "a_code.b"',
    ],
)
def test_what_is_marked_or_for_developers_is_left_alone(source):
    assert found(python.check, source, "x.py") == []


@pytest.mark.parametrize(
    "source",
    [
        '_(f"{n} cells")',
        '_("Case %s" % case)',
        '_("Case {}".format(case))',
        '_("a" + b)',
        '_("One cell" if n == 1 else "Many cells")',
        '_(why or "No reason")',
    ],
)
def test_a_message_that_no_catalogue_can_have_is_found(source):
    assert [finding.why for finding in python.check("x.py", source)] == [GLUED]


def test_an_exemption_holds_for_one_statement():
    source = 'x = "two words"  # untranslated: why\n\ny = "two words"'
    assert found(python.check, source, "x.py") == [(3, "two words")]


# --- scripts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('leaveOut(item, "A hidden folder.");', "A hidden folder."),
        ("const text = `Refused before: ${why}`;", "Refused before: …"),
        ('part("stop").textContent = active ? "Stop" : gettext("Go on");', "Stop"),
        ('say(gettext("One of them"), { x: "two words" });', "two words"),
        ('button.setAttribute("aria-label", "Close it now");', "Close it now"),
        ('button.setAttribute("title", "Close");', "Close"),
        ('throw new Error("It is gone.");', "It is gone."),
        ('picture.alt = "Cell";', "Cell"),
        ('list.innerHTML = "Nothing";', "Nothing"),
        ('const text = `${n > 1 ? "many of them" : gettext("one")}`;', "many of them"),
        ("const text = `${n} images`;", "… images"),
    ],
)
def test_prose_of_a_script_is_found(source, said):
    assert found(scripts.check, f"// a comment of ours\n{source}", "x.js") == [(2, said)]


@pytest.mark.parametrize(
    "source",
    [
        'const text = gettext("The connection was lost.");',
        'ngettext("%(n)s file is", "%(n)s files are", n);',
        'link.closest(".tile, .cell-steps a"); console.warn("no such thing");',
        'import { say } from "./a.js"; /* a longer "comment of ours" */ const kind = "state-busy";',
        'const it = /a "quoted thing"/.test(text); const name = "Product Name"; // untranslated: a name',
    ],
)
def test_what_a_script_has_marked_or_does_not_say_is_left_alone(source):
    assert found(scripts.check, source, "x.js") == []


def test_a_message_of_a_script_is_a_literal():
    assert [finding.why for finding in scripts.check("x.js", "gettext(`${n} files are there`);")] == [GLUED]


# --- the whole ----------------------------------------------------------------------------------------------


def test_it_fails_where_there_is_one_and_says_where(tmp_path):
    folder = tmp_path / "webapp" / "ui"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "infra.language.unmarked"]

    def run() -> subprocess.CompletedProcess[str]:
        environment = {"PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    (folder / "page.html").write_text('{% translate "Cases" %}')
    assert (run().returncode, run().stdout) == (0, "")
    (folder / "page.html").write_text("\n<p>Cases</p>")
    assert (run().returncode, run().stdout) == (1, "webapp/ui/page.html:2: unmarked: Cases\n")
