"""A lab's rules, for whoever approves them: each as a sentence, on or off."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs.permissions import Permission
from webapp.results.rules import Tried, try_out
from webapp.rules import selectors, services
from webapp.rules.models import Rule
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.rules.forms import RuleForm


@needs(Permission.APPROVE)
@require_GET
def rules(request: MemberRequest) -> HttpResponseBase:
    return _list(request)


@needs(Permission.APPROVE)
@require_POST
def take_shipped(request: MemberRequest) -> HttpResponseBase:
    try:
        n = services.add_shipped(request.membership.lab, by=request.user)
    except services.TooManyRules as error:
        return _list(request, conflict=str(error))
    text = ngettext("%(n)s rule was taken over. It is off.", "%(n)s rules were taken over. All are off.", n)
    messages.success(request, text % {"n": n})
    return redirect("ui:rules")


@needs(Permission.APPROVE)
@require_http_methods(["GET", "HEAD", "POST"])
def new_rule(request: MemberRequest) -> HttpResponseBase:
    return _edited(request, None)


@needs(Permission.APPROVE)
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: MemberRequest, rule_id: UUID) -> HttpResponseBase:
    return _edited(request, _rule(rule_id))


@needs(Permission.APPROVE)
@require_POST
@fresh_sign_in
def accept(request: MemberRequest, rule_id: UUID) -> HttpResponseBase:
    try:
        services.accept(_rule(rule_id), by=request.user)
    except services.RuleChanged as error:
        return _list(request, conflict=str(error))
    return redirect("ui:rules")


@needs(Permission.APPROVE)
@require_POST
@fresh_sign_in
def turn_off(request: MemberRequest, rule_id: UUID) -> HttpResponseBase:
    try:
        services.turn_off(_rule(rule_id))
    except services.RuleChanged as error:
        return _list(request, conflict=str(error))
    return redirect("ui:rules")


@needs(Permission.APPROVE)
@require_POST
def remove(request: MemberRequest, rule_id: UUID) -> HttpResponseBase:
    try:
        services.remove(_rule(rule_id))
    except services.RuleChanged as error:
        return _list(request, conflict=str(error))
    return redirect("ui:rules")


def _rule(rule_id: UUID) -> Rule:
    return get_object_or_404(selectors.current(), id=rule_id)


def _list(request: MemberRequest, *, conflict: str = "") -> HttpResponse:
    context = {"rules": selectors.current(), "not_taken": selectors.not_taken(), "conflict": conflict}
    return render(request, "ui/rules/list.html", context, status=409 if conflict else 200)


def _edited(request: MemberRequest, of: Rule | None) -> HttpResponseBase:
    """The page on which a rule is made or changed; `try` only counts what it would have caught."""
    form = RuleForm(request.POST if request.method == "POST" else None, rule=of)
    tried: Tried | None = None
    status = 200
    conflict = ""
    if request.method == "POST":
        if "try" in request.POST:
            if form.are_conditions_valid():
                tried = try_out(form.conditions)
            else:
                status = 422
        elif form.is_valid():
            try:
                if of is None:
                    services.add(request.membership.lab, form.draft, by=request.user)
                else:
                    services.change(of, form.draft, by=request.user)
            except (services.RuleChanged, services.TooManyRules) as error:
                conflict, status = str(error), 409
            else:
                messages.success(request, _("Saved. The rule is off until somebody accepts it."))
                return redirect("ui:rules")
        else:
            status = 422
    context = {
        "rule": of,
        "form": form,
        "tried": tried,
        "conflict": conflict,
        "versions": selectors.versions(of) if of else (),
    }
    return render(request, "ui/rules/rule.html", context, status=status)
