"""The start page, and choosing the lab to work in."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from serving.contract.sentence import N_
from webapp.audit.actions import Action
from webapp.audit.folding import record_denial
from webapp.labs.conflicts import Conflict
from webapp.labs.middleware import ACTIVE_LAB
from webapp.labs.permissions import Permission, Role
from webapp.ui.permissions import PageRequest, conflict_page, redirect_to_second_factor, redirect_to_sign_in

# What those find here who have no business with open cases.
WORK_OF_ROLE = {
    Role.CLINICIAN: _("Reports that a pathologist has signed. Nobody can sign in this release yet."),
    Role.RESEARCHER: _("Anonymised data of signed cases. Nobody can sign a case in this release yet."),
    Role.DATA_SCIENTIST: _("How each version of the model does."),
    Role.LEARNER: _("Exercises on cells that people have decided. There are none in this release yet."),
}


@require_GET
def home(request: PageRequest) -> HttpResponseBase:
    """The cases, or for those whose role may not see them, what their role will find here."""
    if not request.user.is_authenticated:
        return redirect_to_sign_in(request)
    if request.lost_lab is not None:
        return conflict_page(request, Conflict(lost=request.lost_lab))
    if request.without_factor is not None:
        return redirect_to_second_factor(request, request.without_factor.lab)
    if request.membership is None:
        return render(request, "ui/labs/no_lab.html")
    if request.membership.may(Permission.VIEW_CASES):
        return redirect("ui:worklist")
    work = WORK_OF_ROLE[Role(request.membership.role)]
    return render(request, "ui/labs/role_home.html", {"work": work})


@require_POST
def switch_lab(request: PageRequest) -> HttpResponseBase:
    if not request.user.is_authenticated:
        return redirect_to_sign_in(request)
    wanted = request.POST.get("lab")
    if wanted not in {str(membership.lab_id) for membership in request.memberships}:
        record_denial(Action.ACCESS_DENIED, lab=None, subject=N_("a lab of others"))
        raise PermissionDenied
    request.session[ACTIVE_LAB] = wanted
    return redirect("ui:home")
