"""A rule as a sentence that whoever approves it understands."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from webapp.hematology.classes import BY_CODE
from webapp.rules.conditions import ANY, Condition, Quantity, Then

_TEXTS = {
    Quantity.PERCENT: _("%(class)s %(op)s %(value)s %%"),
    Quantity.ABSOLUTE: _("%(class)s %(op)s %(value)s × 10⁹/L"),
    Quantity.PER_100: _("%(class)s per 100 white cells %(op)s %(value)s"),
    Quantity.COUNT: _("%(class)s, cells counted, %(op)s %(value)s"),
    Quantity.FLAG: _("%(class)s is flagged %(value)s"),
    Quantity.AGE_DAYS: _("the patient’s age %(op)s %(value)s days"),
    Quantity.WBC: _("white cells of the analyser %(op)s %(value)s × 10⁹/L"),
    Quantity.HAEMOGLOBIN: _("haemoglobin %(op)s %(value)s g/L"),
    Quantity.PLATELETS: _("platelets of the analyser %(op)s %(value)s × 10⁹/L"),
    Quantity.FIRST_RESULT: _("it is the patient’s first result"),
}
_SEXES = {"female": _("the patient is female"), "male": _("the patient is male")}
_THEN = {
    Then.MUST_SEE: _("a pathologist must see the case"),
    Then.SECOND_READER: _("a second person must read the case"),
    Then.REMARK: _("the remark “%(remark)s” is proposed"),
}


def condition_sentence(condition: Condition) -> str:
    if condition.quantity == Quantity.SEX:
        return str(_SEXES[str(condition.value)])
    value = condition.value
    values = {
        "op": condition.operator.label,
        "value": number_format(value, force_grouping=True) if isinstance(value, Decimal) else value,
        "class": str(_("Any class")) if condition.cell_class == ANY else class_in_rules(condition.cell_class),
    }
    return str(_TEXTS[condition.quantity]) % values


def class_in_rules(code: str) -> str:
    return gettext(BY_CODE[code].name) if code in BY_CODE else code


def sentence(conditions: Sequence[Condition], then: Then, remark: str) -> str:
    """If … and …, then …."""
    # Translators: between two conditions of a rule, all of which must hold.
    both = str(_(" and ")).join(condition_sentence(condition) for condition in conditions)
    follows = str(_THEN[then]) % {"remark": remark} if then == Then.REMARK else str(_THEN[then])
    return str(_("If %(conditions)s, then %(follows)s.")) % {"conditions": both, "follows": follows}
