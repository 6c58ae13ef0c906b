"""Telling members of what happened: in the page and, if they chose so, by mail."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_scopes import scopes_disabled

from webapp.labs.models import Membership
from webapp.notifications import mails
from webapp.notifications.models import Kind, Notification, Preference
from webapp.notifications.selectors import Choice, choices


@transaction.atomic
def tell(
    recipient: Membership,
    kind: Kind,
    *,
    case_id: UUID | None = None,
    together: bool = False,
    facts: Mapping[str, Any],
) -> None:
    """Tell a member, as they chose. What they have not read yet of the same case is brought up to date.

    Of one case and kind at most one message in NOTIFICATION_MAIL_QUIET_SECONDS is sent.

    Args:
        together: of all their cases at once: what was told of a kind is then as if it were of one case.
    """
    folded = together or case_id is not None
    recipient = Membership.objects.select_for_update(no_key=True, of=("self",)).get(id=recipient.id)
    chosen = next(choice for choice in choices(recipient) if choice.kind == kind)
    if not recipient.active or not (chosen.in_page or chosen.by_mail):
        return
    now = timezone.now()
    of_the_same = Notification.objects.filter(recipient=recipient, kind=kind, case=case_id)
    quiet_since = now - timedelta(seconds=settings.NOTIFICATION_MAIL_QUIET_SECONDS)
    told_lately = folded and of_the_same.filter(mailed_at__gt=quiet_since).exists()
    to_mail = chosen.by_mail and not told_lately
    current = of_the_same.filter(read_at=None).first() if folded else None
    notification = current or Notification(recipient=recipient, kind=kind, case_id=case_id)
    notification.facts, notification.created_at = dict(facts), now
    if not chosen.in_page:
        notification.read_at = now  # kept all the same: it says when a message was sent
    if to_mail:
        notification.mailed_at = now
    notification.save()
    if to_mail:
        mails.send(notification)


def mark_read(membership: Membership, notification_ids: Iterable[int] | None = None) -> int:
    """Mark some of a member's notifications as read, or all; returns how many were not."""
    unread = Notification.objects.filter(recipient=membership, read_at=None)
    if notification_ids is not None:
        unread = unread.filter(id__in=notification_ids)
    return unread.update(read_at=timezone.now())


@transaction.atomic
def choose(membership: Membership, chosen: Iterable[Choice]) -> None:
    """Tell the member from now on as they chose."""
    for choice in chosen:
        Preference.objects.update_or_create(
            membership=membership,
            kind=choice.kind,
            defaults={"in_page": choice.in_page, "by_mail": choice.by_mail},
        )


def delete_old() -> int:
    """Delete what was told NOTIFICATION_KEPT_DAYS ago, read or not; returns how many. Over all labs."""
    before = timezone.now() - timedelta(days=settings.NOTIFICATION_KEPT_DAYS)
    with scopes_disabled():
        deleted, _ = Notification.objects.filter(created_at__lt=before).delete()
    return deleted
