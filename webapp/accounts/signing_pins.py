"""Signing PINs: how somebody who has neither password nor second factor says that it is them who sign."""

from itertools import pairwise

from allauth.account.adapter import get_adapter
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts import trail
from webapp.accounts.methods import own_methods
from webapp.accounts.models import SigningPin, User

LENGTHS = (6, 12)
MOST_WRONG = 5
"""After as many wrong ones in a row it is locked, until it is set anew."""


class InvalidPin(ValueError):
    """It is none, or one that is guessed first; the message says why."""


class NoPinNeeded(Exception):
    """They have something better."""

    def __str__(self) -> str:
        return _("You can sign with what you sign in with. A PIN is for people who have none of it.")


class PinLocked(Exception):
    """It was wrong too often."""


def check_form(pin: str) -> None:
    """Raise InvalidPin for what nobody should choose."""
    if not (pin.isascii() and pin.isdigit() and LENGTHS[0] <= len(pin) <= LENGTHS[1]):
        text = _("A signing PIN has %(least)s to %(most)s digits.")
        raise InvalidPin(text % {"least": LENGTHS[0], "most": LENGTHS[1]})
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise InvalidPin(_("Digits that are all the same, or in a row, are guessed first. Choose others."))


@transaction.atomic
def set_pin(request: HttpRequest, user: User, pin: str) -> None:
    """Set or change it, which unlocks it; the person has just signed in afresh.

    Raises:
        InvalidPin, NoPinNeeded: see there.
    """
    check_form(pin)
    if own_methods(user):
        raise NoPinNeeded
    values = {"hashed": make_password(pin), "set_at": timezone.now(), "wrong": 0}
    _pin, is_new = SigningPin.objects.update_or_create(user=user, defaults=values)
    trail.signing_pin_set(user, is_new=is_new)
    get_adapter(request).send_notification_mail("account/email/signing_pin_set", user)


@transaction.atomic
def remove_pin(request: HttpRequest, user: User) -> None:
    """Forget it; the person has just signed in afresh."""
    deleted, _of = SigningPin.objects.filter(user=user).delete()
    if deleted:
        trail.signing_pin_removed(user)
        get_adapter(request).send_notification_mail("account/email/signing_pin_removed", user)


@transaction.atomic
def is_right(request: HttpRequest, user: User, pin: str) -> bool:
    """Whether it is their PIN. A wrong one is counted, and the last that may be wrong locks it.

    Attempts come one after the other, so that many at once are no more than as many in a row. Call it in no
    transaction of one's own: what was counted must stay.

    Raises:
        PinLocked: it was wrong too often before.
    """
    kept = SigningPin.objects.select_for_update().filter(user=user).first()
    if kept is None:
        return False
    if kept.wrong >= MOST_WRONG:
        raise PinLocked
    right = check_password(pin, kept.hashed)
    kept.wrong = 0 if right else kept.wrong + 1
    kept.save(update_fields=["wrong"])
    if kept.wrong >= MOST_WRONG:
        trail.signing_pin_locked(user)
        get_adapter(request).send_notification_mail("account/email/signing_pin_locked", user)
    return right
