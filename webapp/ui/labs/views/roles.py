"""What each role may do in the lab, and which of them ask for a second factor of sign-in."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs import services
from webapp.labs.models import Lab
from webapp.labs.permissions import IN_USE, TABLE, Permission, Role, adjustable, granted
from webapp.ui.labs.forms import RoleTableForm
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.MANAGE_ROLES)
@require_GET
def role_table(request: MemberRequest) -> HttpResponseBase:
    return render(request, "ui/labs/roles.html", _context(request.membership.lab))


@needs(Permission.MANAGE_ROLES)
@require_POST
@fresh_sign_in
def adjust(request: MemberRequest) -> HttpResponseBase:
    lab = request.membership.lab
    form = RoleTableForm(request.POST)
    if not form.is_valid():
        problem = _("The form named something that is no role or permission of a lab. Nothing was changed.")
        return render(request, "ui/labs/roles.html", _context(lab, problem), status=422)
    try:
        services.adjust_roles(
            lab, form.wanted, second_factor_roles=map(Role, form.cleaned_data["second_factor"])
        )
    except services.NotAdjustable as error:
        return render(request, "ui/labs/roles.html", _context(lab, str(error)), status=422)
    messages.success(request, _("Saved. It holds from now on, for those who are signed in too."))
    return redirect("ui:roles")


def _context(lab: Lab, problem: str = "") -> dict[str, Any]:
    now = {role: granted(role, lab.permission_changes) for role in Role}
    rows = [
        (
            permission,
            [
                {
                    "role": role,
                    "given": permission in now[role],
                    "adjustable": permission in adjustable(role),
                    "changed": (permission in now[role]) != (permission in TABLE[role]),
                }
                for role in Role
            ],
        )
        for permission in IN_USE
    ]
    second_factor = [{"role": role, "given": role in lab.second_factor_roles} for role in Role]
    return {"roles": list(Role), "rows": rows, "second_factor": second_factor, "problem": problem}
