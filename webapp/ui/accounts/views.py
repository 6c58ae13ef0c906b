"""A person's own account, as far as allauth has no pages for it."""

from allauth.usersessions.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts import signing_pins
from webapp.accounts.methods import own_methods
from webapp.accounts.models import SigningPin
from webapp.accounts.name_form import NameForm
from webapp.accounts.reauthentication import fresh_sign_in
from webapp.accounts.selectors import sessions_elsewhere
from webapp.accounts.services import change_name
from webapp.accounts.signing_pin_form import SigningPinForm
from webapp.ui.permissions import PageRequest


@require_http_methods(["GET", "POST"])
@login_required
@fresh_sign_in
def name(request: PageRequest) -> HttpResponseBase:
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if not form.is_valid():
        return render(request, "ui/accounts/name.html", {"form": form}, status=422 if form.is_bound else 200)
    change_name(request.user, form.cleaned_data["name"])
    messages.success(request, _("Your name is %(name)s from now on.") % {"name": request.user.name})
    return redirect("ui:name")


@require_http_methods(["GET", "POST"])
@login_required
@fresh_sign_in
def signing_pin(request: PageRequest) -> HttpResponseBase:
    """Set or change one's signing PIN."""
    form = SigningPinForm(request.POST or None)
    if form.is_valid():
        try:
            signing_pins.set_pin(request, request.user, form.cleaned_data["pin"])
            messages.success(request, _("You sign results with this PIN from now on."))
            return redirect("ui:signing-pin")
        except signing_pins.NoPinNeeded as error:
            form.add_error(None, str(error))
    pin = SigningPin.objects.filter(user=request.user).first()
    context = {
        "form": form,
        "pin": pin,
        "is_locked": pin is not None and pin.wrong >= signing_pins.MOST_WRONG,
        "methods": own_methods(request.user),
    }
    return render(request, "ui/accounts/signing_pin.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
@fresh_sign_in
def remove_signing_pin(request: PageRequest) -> HttpResponseBase:
    signing_pins.remove_pin(request, request.user)
    messages.success(request, _("Your signing PIN is removed."))
    return redirect("ui:signing-pin")


@require_POST
@login_required
def end_session(request: PageRequest, pk: int) -> HttpResponseBase:
    """Sign out one of one's own browsers; for the one in use there is signing out."""
    session = get_object_or_404(sessions_elsewhere(request.user, request.session.session_key), pk=pk)
    get_adapter().end_sessions([session])
    messages.success(request, _("The session from %(ip)s is ended.") % {"ip": session.ip})
    return redirect("usersessions_list")
