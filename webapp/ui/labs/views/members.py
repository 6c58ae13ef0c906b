"""The people of a lab: who belongs to it, in which role, and who is deactivated."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs import selectors, services
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission, Role
from webapp.ui.labs.forms import InvitationForm, RoleForm
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.MANAGE_MEMBERS)
@require_GET
def member_list(request: MemberRequest) -> HttpResponseBase:
    return render(request, "ui/labs/members.html", list_context(request))


@needs(Permission.MANAGE_MEMBERS)
@require_POST
@fresh_sign_in
def change_role(request: MemberRequest, member_id: int) -> HttpResponseBase:
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
        return redirect("ui:members")
    role = Role(form.cleaned_data["role"])
    return _do(
        request,
        _member_or_404(member_id),
        lambda member: services.change_role(member, role),
        _("%(person)s is now %(role)s."),
        role=role.in_sentence,
    )


@needs(Permission.MANAGE_MEMBERS)
@require_POST
@fresh_sign_in
def deactivate(request: MemberRequest, member_id: int) -> HttpResponseBase:
    done = _("%(person)s is deactivated and out at once; API tokens of theirs are revoked.")
    return _do(request, _member_or_404(member_id), services.deactivate, done)


@needs(Permission.MANAGE_MEMBERS)
@require_POST
@fresh_sign_in
def reactivate(request: MemberRequest, member_id: int) -> HttpResponseBase:
    done = _("%(person)s is back in the lab.")
    return _do(request, _member_or_404(member_id), services.reactivate, done)


@needs(Permission.MANAGE_MEMBERS)
@require_POST
@fresh_sign_in
def remove(request: MemberRequest, member_id: int) -> HttpResponseBase:
    done = _("%(person)s is no longer a member. What they did is kept.")
    return _do(request, _member_or_404(member_id), services.remove, done)


@needs(None)
@require_http_methods(["GET", "POST"])
@fresh_sign_in
def leave(request: MemberRequest) -> HttpResponseBase:
    """Asks first; there is no way back but another invitation."""
    if request.method == "GET":
        return render(request, "ui/labs/leave.html")
    lab = request.membership.lab
    done = _("You have left %(lab)s.")
    return _do(request, request.membership, services.leave, done, then="ui:home", lab=lab)


def list_context(request: MemberRequest, form: InvitationForm | None = None) -> dict[str, Any]:
    lab = request.membership.lab
    return {
        "members": selectors.members(lab),
        "invitations": selectors.invitations(lab),
        "roles": Role.choices,
        "form": form or InvitationForm(),
    }


def _member_or_404(member_id: int) -> Membership:
    return get_object_or_404(Membership.objects.select_related("user", "lab"), id=member_id)


def _do(
    request: MemberRequest,
    member: Membership,
    change: Callable[[Membership], None],
    done: str,
    *,
    then: str = "ui:members",
    **places: object,
) -> HttpResponseBase:
    """Change a member; then say that it is `done`, whose places are the person's name and `places`."""
    try:
        change(member)
    except services.LastAdmin as error:
        messages.error(request, str(error))
    except Membership.DoesNotExist:
        raise Http404 from None
    else:
        messages.success(request, done % {"person": member.user, **places})
        # Whoever has changed what they may do themselves may not see the page they came from any more.
        if member.id == request.membership.id:
            then = "ui:home"
    return redirect(then)
