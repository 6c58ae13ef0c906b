from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from webapp.cases.models import Slide
from webapp.cases.setting_aside import REASON_LENGTH
from webapp.writing.fields import Lines


class SetAsideForm(forms.Form):
    """Why nothing is given in place of a refused file."""

    reason = Lines(
        max_length=REASON_LENGTH,
        label=_("Why no other file is needed"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why.")},
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="")


class FilesSlideForm(forms.Form):
    """Of which slide some files are."""

    slide: Any = forms.ModelChoiceField(queryset=None, required=False)
    images = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, data: Any, *, slides: QuerySet[Slide], images: Iterable[int]) -> None:
        super().__init__(data)
        self.fields["slide"].queryset = slides  # type: ignore[attr-defined]
        self.fields["images"].choices = [(one, "") for one in images]  # type: ignore[attr-defined]
