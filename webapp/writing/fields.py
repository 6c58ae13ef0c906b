"""Fields that normalise what people write, as `webapp.writing.text` does."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from webapp.writing.text import lines, one_line, unseen


def seen(value: str) -> None:
    """Raise ValidationError for a line in which something hides; it says what and where."""
    _reject(unseen(value))


def seen_lines(value: str) -> None:
    """As `seen`, of several lines, with tabs."""
    _reject(unseen(value, allowed="\n\t"))


def _reject(found: str | None) -> None:
    if found:
        text = _("A character in it cannot be seen: %(which)s. Take it out, or type the text anew.")
        raise ValidationError(text % {"which": found})


class Line(forms.CharField):
    """A form's field for a name or number in one line."""

    default_validators = [seen]

    def __init__(self, *args: Any, normalise: Callable[[str], str] = one_line, **options: Any) -> None:
        self.normalise = normalise
        super().__init__(*args, **options)

    def to_python(self, value: Any) -> Any:
        given = super().to_python(value)
        return self.normalise(given) if given else given


class Lines(Line):
    """A form's field for a note."""

    default_validators = [seen_lines]
    widget = forms.Textarea

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, normalise=lines, **options)


class LineField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """A column for a name or number in one line: normalised when it is written and when it is looked up.

    Forms reject characters that cannot be seen; what comes another way is expected to be clean, or cleaned by
    `shown`.

    Args:
        normalise: how it is normalised.
    """

    default_validators = [*models.CharField.default_validators, seen]

    def __init__(self, *args: Any, normalise: Callable[[str], str] = one_line, **options: Any) -> None:
        self.normalise = normalise
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """To the database it is a column like any other."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def to_python(self, value: Any) -> Any:
        return self._normalised(super().to_python(value))

    def get_prep_value(self, value: Any) -> Any:
        return self._normalised(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self._normalised(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": Line, "normalise": self.normalise, **options})

    def _normalised(self, value: Any) -> Any:
        return self.normalise(value) if isinstance(value, str) else value
