"""How results are signed in a lab."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs.models import Lab, Signatures
from webapp.labs.permissions import Permission
from webapp.labs.services import change_signatures
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.results.forms import SignaturesForm


@needs(Permission.MANAGE_LAB)
@require_GET
def signing(request: MemberRequest) -> HttpResponseBase:
    form = SignaturesForm(instance=request.membership.lab, label_suffix="")
    return render(request, "ui/results/signing.html", {"form": form})


@needs(Permission.MANAGE_LAB)
@require_POST
@fresh_sign_in
def change_signing(request: MemberRequest) -> HttpResponseBase:
    form = SignaturesForm(request.POST, instance=Lab(id=request.membership.lab_id), label_suffix="")
    if not form.is_valid():
        return render(request, "ui/results/signing.html", {"form": form}, status=422)
    change_signatures(request.membership.lab, Signatures(form.cleaned_data["signatures"]))
    messages.success(request, _("Saved. It holds for every result that is signed from now on."))
    return redirect("ui:lab-signing")
