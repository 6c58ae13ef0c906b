"""A lab's rules are made, changed, accepted, turned off and removed. Whoever calls has checked who may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.labs.models import Lab
from webapp.language.sentences import as_written
from webapp.rules import selectors
from webapp.rules.conditions import Condition, Then
from webapp.rules.models import Rule

MOST_RULES = 100


class RuleChanged(Exception):
    """Somebody changed or removed the rule meanwhile. Nothing was done."""

    def __str__(self) -> str:
        return _("Somebody changed or removed this rule meanwhile. Look at it as it is now.")


class TooManyRules(Exception):
    """The lab has as many as it can have."""

    def __str__(self) -> str:
        return _("A lab has %(n)s rules at most. Remove some first.") % {"n": MOST_RULES}


@dataclass(frozen=True)
class Draft:
    """What somebody wants a rule to be."""

    name: str
    conditions: Sequence[Condition]
    then: Then
    remark: str = ""
    source: str = ""

    @property
    def values(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "when": [condition.plain for condition in self.conditions],
            "then": self.then.value,
            "remark": self.remark if self.then == Then.REMARK else "",
            "source": self.source,
        }


@transaction.atomic
def add(lab: Lab, draft: Draft, *, by: User, shipped: str = "") -> Rule:
    """A new rule, which is off.

    Raises:
        TooManyRules
    """
    _hold(lab)
    if selectors.current().count() >= MOST_RULES:
        raise TooManyRules
    rule = Rule.objects.create(lab=lab, made_by=by, shipped=shipped, **draft.values)
    _record(Action.RULE_ADDED, rule, after=draft.values)
    return rule


@transaction.atomic
def add_shipped(lab: Lab, *, by: User) -> int:
    """Take over what comes with the product and the lab does not have, all of it off; returns how many."""
    _hold(lab)
    missing = selectors.not_taken()
    for one in missing:
        # In the language of the lab's people, who read it on their results; it is theirs from now on.
        draft = Draft(_(one.name), one.when, one.then, _(one.remark) if one.remark else "", _(one.source))
        add(lab, draft, by=by, shipped=one.code)
    return len(missing)


@transaction.atomic
def change(rule: Rule, draft: Draft, *, by: User) -> Rule:
    """The rule's next version, which is off.

    Raises:
        RuleChanged
    """
    rule = _current(rule)
    before = {name: getattr(rule, name) for name in draft.values}
    if before == draft.values:
        return rule
    _end(rule)
    following = Rule.objects.create(
        lab_id=rule.lab_id,
        key=rule.key,
        version=rule.version + 1,
        shipped=rule.shipped,
        made_by=by,
        **draft.values,
    )
    _record(Action.RULE_CHANGED, following, before=before, after=draft.values)
    return following


@transaction.atomic
def accept(rule: Rule, *, by: User) -> Rule:
    """Let this version count from now on.

    Raises:
        RuleChanged: it is not the last version any more.
    """
    rule = _current(rule)
    if rule.accepted_at is None:
        rule.accepted_at, rule.accepted_by = timezone.now(), by
        rule.save(update_fields=["accepted_at", "accepted_by"])
        _record(Action.RULE_ACCEPTED, rule, after={"when": rule.when, "then": rule.then})
    return rule


@transaction.atomic
def turn_off(rule: Rule) -> Rule:
    """Let it count for nothing until it is accepted again.

    Raises:
        RuleChanged
    """
    rule = _current(rule)
    if rule.accepted_at is not None:
        rule.accepted_at = rule.accepted_by = None
        rule.save(update_fields=["accepted_at", "accepted_by"])
        _record(Action.RULE_TURNED_OFF, rule)
    return rule


@transaction.atomic
def remove(rule: Rule) -> None:
    """End the rule. Its versions stay.

    Raises:
        RuleChanged
    """
    rule = _current(rule)
    _end(rule)
    _record(Action.RULE_REMOVED, rule)


def _current(rule: Rule) -> Rule:
    found = Rule.objects.select_for_update().filter(id=rule.id, ended_at=None).first()
    if found is None:
        raise RuleChanged
    return found


def _end(rule: Rule) -> None:
    rule.ended_at = timezone.now()
    rule.save(update_fields=["ended_at"])


def _hold(lab: Lab) -> None:
    """Who adds rules waits for who does."""
    Lab.objects.select_for_update(no_key=True).get(id=lab.id)


def _record(
    action: Action,
    rule: Rule,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record(
        action,
        lab=rule.lab_id,
        subject=as_written(rule.name),
        subject_id=f"rule {rule.key}",
        before=before,
        after={**(after or {}), "version": rule.version},
    )
