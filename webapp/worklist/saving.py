"""Filters that a member keeps under a name: nobody else's, so the lab's audit trail has none of it."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from webapp.labs.models import Membership
from webapp.worklist.filters import Wanted
from webapp.worklist.models import SavedFilter

MOST = 50


class NameTaken(Exception):
    """The member has a filter of this name."""


class TooManyFilters(Exception):
    """The member has MOST filters."""

    def __str__(self) -> str:
        return _("You have %(n)s filters. Delete one first.") % {"n": MOST}


@transaction.atomic
def save(member: Membership, *, name: str, wanted: Wanted, is_default: bool) -> SavedFilter:
    """Keep a filter.

    Raises:
        NameTaken, TooManyFilters
    """
    _hold(member)
    if SavedFilter.objects.filter(membership=member).count() >= MOST:
        raise TooManyFilters
    return _write(SavedFilter(membership=member, name=name, query=wanted.query), is_default)


@transaction.atomic
def change(
    saved: SavedFilter,
    *,
    name: str | None = None,
    wanted: Wanted | None = None,
    is_default: bool | None = None,
) -> SavedFilter:
    """Give a filter another name, ask for something else by it, have the worklist begin with it or not.

    Raises:
        NameTaken
    """
    _hold(saved.membership)
    if name is not None:
        saved.name = name
    if wanted is not None:
        saved.query = wanted.query
    return _write(saved, saved.is_default if is_default is None else is_default)


def delete(saved: SavedFilter) -> None:
    saved.delete()


def _hold(member: Membership) -> None:
    """Of two that a member writes at once the second waits."""
    Membership.objects.select_for_update(no_key=True).filter(id=member.pk).values_list("id").get()


def _write(saved: SavedFilter, is_default: bool) -> SavedFilter:
    if is_default:
        SavedFilter.objects.filter(membership=saved.membership, is_default=True).update(is_default=False)
    saved.is_default = is_default
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError as error:
        text = _("You have a filter “%(name)s” already. Choose another name.")
        raise NameTaken(text % {"name": saved.name}) from error
    return saved
