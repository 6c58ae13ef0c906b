"""Who belongs to a lab and in which role, and what the roles of a lab may do."""

from collections.abc import Iterable, Mapping, Sequence, Set

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django_scopes import scope

from webapp.accounts.models import User
from webapp.accounts.services import create_account
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.hematology.classes import REPORT_ORDER, check_classes, used
from webapp.labs.models import ApiToken, Lab, Membership, Signatures, members_changed
from webapp.labs.permissions import PRESUPPOSES, TABLE, Permission, Role, adjustable, allows, granted


class LastAdmin(Exception):
    """The lab would be left without anybody who can manage it."""

    def __str__(self) -> str:
        return _(
            "This is the lab's only administrator. Make somebody else administrator first; then try again."
        )


class NotAdjustable(Exception):
    """What was asked for goes beyond what a lab may change of the table; the message says what."""


@transaction.atomic
def add_member(lab: Lab, *, email: str, name: str, role: Role, password: str) -> Membership:
    """Make `email` a member of `lab` with `role`, creating the person with `password` if they are new.

    An existing person keeps their password; an existing membership takes the new role.
    """
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = create_account(email, name=name, password=password)
    with scope(lab=lab):
        before = Membership.objects.filter(user=user).values("role").first()
        membership, _ = Membership.objects.update_or_create(
            lab=lab, user=user, defaults={"role": role, "active": True}
        )
    record(
        Action.MEMBER_ROLE_SET,
        lab=lab.id,
        subject=str(user),
        subject_id=f"user {user.pk}",
        before=before and {"role": Role(before["role"]).label},
        after={"role": role.label},
    )
    members_changed.send(Lab, lab=lab.id)
    return membership


@transaction.atomic
def change_role(membership: Membership, role: Role) -> None:
    """Give a member another role.

    Raises:
        LastAdmin: they are the only administrator.
        Membership.DoesNotExist: they are no member any more.
    """
    current = _locked(membership, stays_admin=role == Role.ADMIN)
    before = Role(current.role)
    current.role = role
    current.save(update_fields=["role"])
    _record(Action.MEMBER_ROLE_SET, current, before={"role": before.label}, after={"role": role.label})
    members_changed.send(Lab, lab=current.lab_id)


@transaction.atomic
def deactivate(membership: Membership) -> None:
    """Deactivate a member at once, until `reactivate`; their API tokens end for good.

    Raises:
        LastAdmin, Membership.DoesNotExist: as for `change_role`.
    """
    current = _locked(membership)
    current.active = False
    current.save(update_fields=["active"])
    ApiToken.objects.filter(membership=current).delete()
    _record(Action.MEMBER_DEACTIVATED, current)
    members_changed.send(Lab, lab=current.lab_id)


@transaction.atomic
def reactivate(membership: Membership) -> None:
    """Make a deactivated member active again, with the role they had. They make new tokens themselves."""
    current = _locked(membership, stays_admin=True)
    current.active = True
    current.save(update_fields=["active"])
    _record(Action.MEMBER_REACTIVATED, current)


@transaction.atomic
def remove(membership: Membership) -> None:
    """End a membership, with its API tokens; what the person did stays.

    Raises:
        LastAdmin, Membership.DoesNotExist: as for `change_role`.
    """
    _end(membership, Action.MEMBER_REMOVED)


@transaction.atomic
def leave(membership: Membership) -> None:
    """End one's own membership.

    Raises:
        LastAdmin, Membership.DoesNotExist: as for `change_role`.
    """
    _end(membership, Action.MEMBER_LEFT)


@transaction.atomic
def adjust_roles(
    lab: Lab, wanted: Mapping[Role, Set[Permission]], *, second_factor_roles: Iterable[Role]
) -> None:
    """Have each role of `wanted` do in this lab just what it names, from now on.

    Args:
        second_factor_roles: the roles that may be taken up only with a second factor of sign-in.

    Raises:
        NotAdjustable: that goes beyond the limits of the table, or leads nowhere.
    """
    for role, permissions in wanted.items():
        _check_limits(role, permissions)
    current = Lab.objects.select_for_update(no_key=True).get(id=lab.id)
    changes = {role: dict(given) for role, given in current.permission_changes.items()}
    for role, permissions in wanted.items():
        changes[role.value] = {
            permission.value: permission in permissions
            for permission in sorted(adjustable(role))
            if (permission in permissions) != (permission in TABLE[role])
        }
    before = _table(current)
    current.permission_changes = {role: given for role, given in changes.items() if given}
    current.second_factor_roles = sorted(role.value for role in second_factor_roles)
    current.save(update_fields=["permission_changes", "second_factor_roles"])
    after = _table(current)
    for role in Role:
        if before[role] != after[role]:
            record(
                Action.ROLE_CHANGED, lab=lab.id, subject=role.label, before=before[role], after=after[role]
            )
    members_changed.send(Lab, lab=lab.id)


@transaction.atomic
def change_settings(lab: Lab, *, language: str, time_zone: str, full_count: int) -> None:
    """Set the language that the lab reads, the time zone that it reads times in (empty: UTC), and the white
    cells of a full count."""
    wanted: dict[str, object] = {"time_zone": time_zone, "full_count": full_count}
    current = Lab.objects.select_for_update(no_key=True).get(id=lab.id)
    before = {name: getattr(current, name) for name in wanted}
    if before != wanted:
        Lab.objects.filter(id=lab.id).update(**wanted)
        record(Action.LAB_CHANGED, lab=lab.id, subject=current.name, before=before, after=wanted)
    if current.language != language:
        Lab.objects.filter(id=lab.id).update(language=language)
        names = dict(settings.LANGUAGES)
        record(
            Action.LAB_LANGUAGE_SET,
            lab=lab.id,
            subject=current.name,
            before={"language": names.get(current.language, current.language)},
            after={"language": names[language]},
        )


@transaction.atomic
def change_signatures(lab: Lab, signatures: Signatures) -> None:
    """Set how many people sign a result. One that awaits its second signature still does."""
    current = Lab.objects.select_for_update(no_key=True).get(id=lab.id)
    if current.signatures != signatures:
        Lab.objects.filter(id=lab.id).update(signatures=signatures)
        before, after = {"signatures": current.signatures}, {"signatures": signatures.value}
        record(Action.LAB_SIGNATURES_SET, lab=lab.id, subject=current.name, before=before, after=after)


@transaction.atomic
def change_turnaround(lab: Lab, *, stat: int | None, urgent: int | None, routine: int | None) -> bool:
    """Set in how many hours results are due, by priority; None: at no time. Returns whether it was otherwise.

    Whoever calls it sees to it that cases under way are due by it: `webapp.worklist.turnaround`.
    """
    wanted = {"turnaround_stat": stat, "turnaround_urgent": urgent, "turnaround_routine": routine}
    current = Lab.objects.select_for_update(no_key=True).get(id=lab.id)
    before = {name: getattr(current, name) for name in wanted}
    if before == wanted:
        return False
    Lab.objects.filter(id=lab.id).update(**wanted)
    record(Action.LAB_TURNAROUND_SET, lab=lab.id, subject=current.name, before=before, after=wanted)
    return True


@transaction.atomic
def change_classes(lab: Lab, classes: Sequence[str]) -> None:
    """Set what the lab's people may say of a cell: codes of classes, in the order of its reports.

    What was decided before stays as it is.

    Raises:
        InvalidClasses: no lab can do with just these.
    """
    check_classes(classes)
    wanted = [] if tuple(classes) == REPORT_ORDER else list(classes)
    current = Lab.objects.select_for_update(no_key=True).get(id=lab.id)
    if current.classes != wanted:
        Lab.objects.filter(id=lab.id).update(classes=wanted)
        record(
            Action.LAB_CLASSES_CHANGED,
            lab=lab.id,
            subject=current.name,
            before={"classes": [one.code for one in current.cell_classes]},
            after={"classes": [one.code for one in used(wanted)]},
        )


def _table(lab: Lab) -> dict[Role, dict[str, object]]:
    return {
        role: {
            "permissions": sorted(granted(role, lab.permission_changes)),
            "second_factor": role in lab.second_factor_roles,
        }
        for role in Role
    }


def _check_limits(role: Role, permissions: Set[Permission]) -> None:
    for permission in Permission:
        if permission not in adjustable(role) and (permission in permissions) != allows(role, permission):
            text = (
                _("%(role)s cannot be given “%(permission)s” in any lab.")
                if permission in permissions
                else _("%(role)s cannot lose “%(permission)s” in any lab.")
            )
            raise NotAdjustable(text % {"role": role.label, "permission": permission.label})
    for permission in permissions:
        needed = PRESUPPOSES.get(permission)
        if needed and needed not in permissions:
            text = _("%(role)s: “%(permission)s” leads nowhere without “%(needed)s”. Give both or neither.")
            raise NotAdjustable(
                text % {"role": role.label, "permission": permission.label, "needed": needed.label}
            )


def _locked(membership: Membership, *, stays_admin: bool = False) -> Membership:
    """The membership as it is now, locked until the transaction ends, with all administrators of its lab.

    So two administrators cannot both remove the other: the second one fails.

    Raises:
        LastAdmin: without this one there is no other, and it is not to stay one.
        Membership.DoesNotExist: it is gone.
    """
    admins = Q(role=Role.ADMIN, active=True, user__is_active=True)
    rows = (
        Membership.objects.filter(admins | Q(id=membership.id), lab=membership.lab_id)
        .select_related("user", "lab")
        .select_for_update(of=("self",), no_key=True)
        .order_by("id")
    )
    by_id = {row.id: row for row in rows}
    current = by_id.pop(membership.id, None)
    if current is None:
        raise Membership.DoesNotExist
    if current.role == Role.ADMIN and current.active and not by_id and not stays_admin:
        raise LastAdmin
    return current


def _end(membership: Membership, action: Action) -> None:
    current = _locked(membership)
    _record(action, current, before={"role": Role(current.role).label})
    current.delete()
    members_changed.send(Lab, lab=current.lab_id)


def _record(
    action: Action,
    membership: Membership,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    user = membership.user
    record(
        action,
        lab=membership.lab_id,
        subject=str(user),
        subject_id=f"user {user.pk}",
        before=before,
        after=after,
    )
