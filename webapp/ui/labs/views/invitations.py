"""Invitations: sending and revoking them, and the page that their link leads to."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.accounts.sign_in import welcome
from webapp.labs import invitations
from webapp.labs.middleware import ACTIVE_LAB
from webapp.labs.models import Invitation
from webapp.labs.permissions import Permission, Role
from webapp.ui.labs.forms import InvitationForm
from webapp.ui.labs.views.members import list_context
from webapp.ui.permissions import MemberRequest, PageRequest, needs, redirect_to_sign_in


@needs(Permission.MANAGE_MEMBERS)
@require_POST
@fresh_sign_in
def invite(request: MemberRequest) -> HttpResponseBase:
    form = InvitationForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            invitation = invitations.invite(
                request.membership.lab,
                email=given["email"],
                role=Role(given["role"]),
                by=request.user,
                link=_link(request),
            )
        except invitations.CannotInvite as error:
            form.add_error("email", str(error))
            too_many = isinstance(error, invitations.TooManyInvitations)
            return render(
                request, "ui/labs/members.html", list_context(request, form), status=429 if too_many else 422
            )
        else:
            _say_sent(request, invitation)
            return redirect("ui:members")
    return render(request, "ui/labs/members.html", list_context(request, form), status=422)


@needs(Permission.MANAGE_MEMBERS)
@require_POST
@fresh_sign_in
def renew(request: MemberRequest, invitation_id: int) -> HttpResponseBase:
    invitation = _invitation_or_404(invitation_id)
    try:
        invitations.renew(invitation, link=_link(request))
    except invitations.TooManyInvitations as error:
        messages.error(request, str(error))
    else:
        _say_sent(request, invitation)
    return redirect("ui:members")


@needs(Permission.MANAGE_MEMBERS)
@require_POST
@fresh_sign_in
def revoke(request: MemberRequest, invitation_id: int) -> HttpResponseBase:
    invitation = _invitation_or_404(invitation_id)
    invitations.revoke(invitation)
    messages.success(
        request,
        _("The invitation of %(email)s is revoked; its link leads nowhere.") % {"email": invitation.email},
    )
    return redirect("ui:members")


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: PageRequest, secret: str) -> HttpResponseBase:
    """Where the mailed link leads: whoever is signed in with the invited e-mail may accept."""
    found = invitations.open_invitation(secret)
    if found is None:
        return render(request, "ui/labs/invitation_gone.html", status=404)
    if not request.user.is_authenticated:
        if request.method == "POST":
            return redirect_to_sign_in(request)
        context = {"invitation": found, "sign_up": welcome(request, found.email)}
        return render(request, "ui/labs/invitation.html", context)
    if request.method == "POST":
        try:
            membership = invitations.accept(secret, request.user)
        except invitations.CannotAccept as error:
            messages.error(request, str(error))
            return redirect("ui:home")
        request.session[ACTIVE_LAB] = str(membership.lab_id)
        messages.success(request, _("Welcome to %(lab)s.") % {"lab": membership.lab})
        return redirect("ui:home")
    context = {"invitation": found, "theirs": found.email.lower() == request.user.email.lower()}
    return render(request, "ui/labs/invitation.html", context)


def _invitation_or_404(invitation_id: int) -> Invitation:
    return get_object_or_404(Invitation.objects.select_related("lab", "invited_by"), id=invitation_id)


def _link(request: MemberRequest) -> invitations.Link:
    return lambda secret: request.build_absolute_uri(reverse("ui:invitation", args=[secret]))


def _say_sent(request: MemberRequest, invitation: Invitation) -> None:
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": invitation.email})
