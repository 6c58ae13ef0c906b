"""What a lab sets for all its members: how it tells the time, and how many cells are a full count."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs.models import Lab
from webapp.labs.permissions import Permission
from webapp.labs.services import change_settings
from webapp.ui.labs.forms import LabForm
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.MANAGE_LAB)
@require_GET
def settings(request: MemberRequest) -> HttpResponseBase:
    return render(request, "ui/labs/settings.html", {"form": LabForm(instance=request.membership.lab)})


@needs(Permission.MANAGE_LAB)
@require_POST
@fresh_sign_in
def change(request: MemberRequest) -> HttpResponseBase:
    form = LabForm(request.POST, instance=Lab(id=request.membership.lab_id, name=request.membership.lab.name))
    if not form.is_valid():
        return render(request, "ui/labs/settings.html", {"form": form}, status=422)
    change_settings(request.membership.lab, **form.cleaned_data)
    messages.success(request, "Saved. It holds from now on, for every case of the lab.")
    return redirect("ui:lab-settings")
