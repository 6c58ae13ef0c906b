"""The page on which a result is signed: what will be signed, what is missing, and who is there."""

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.methods import Method, methods_of
from webapp.accounts.proof import (
    NotProved,
    TooManyProofs,
    ask_provider,
    begin_passkey,
    has_fresh_sign_in,
    prove,
)
from webapp.cases.closing import ReviewOver
from webapp.cases.disclosure import open_case, text_shown
from webapp.cases.models import Case
from webapp.crypto.cipher import Place, Unreadable
from webapp.crypto.texts import seal_text, unseal_text
from webapp.labs.authorization import may
from webapp.labs.permissions import Permission
from webapp.reports.sheet import changes, sheet_of
from webapp.results.document import parts_of
from webapp.results.models import Signature
from webapp.results.signing import (
    Incomplete,
    Moved,
    Prepared,
    Shown,
    SignedAlready,
    SigningFails,
    prepare,
    sign,
)
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.results.forms import ShortfallForm, SignForm

_KEPT = "signing"  # in the session, while a person signs in elsewhere


@needs(Permission.SIGN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_page(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """What will be signed; a POST with a proof signs it, another one shows it with a reason."""
    if not may(request.membership, Permission.VIEW_IDENTIFIERS):
        return render(request, "403.html", status=HTTPStatus.FORBIDDEN)
    case = open_case(case_id)
    if request.method != "POST":
        return _page(request, case, _kept_reason(request, case))
    if "method" not in request.POST:
        form = ShortfallForm(request.POST)
        if not form.is_valid():
            return _page(request, case, "", shortfall=form, status=422)
        return _page(request, case, form.cleaned_data["reason"])
    form = SignForm(request.POST)
    if not form.is_valid() or form.cleaned_data["method"] not in Method.values:
        return _page(request, case, "", error=_("Nothing was signed. Look again, and sign anew."), status=422)
    return _signed(request, case, form.cleaned_data)


@needs(Permission.SIGN)
@require_POST
def elsewhere(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Go to one's identity provider to sign in there now, and come back to sign."""
    case = open_case(case_id)
    form = SignForm({**request.POST.dict(), "method": Method.PROVIDER})
    if not form.is_valid():
        return redirect("ui:sign", case.id)
    given = form.cleaned_data
    request.session[_KEPT] = seal_text(given["reason"], _place(case))
    back = reverse("ui:sign", args=[case.id])
    try:
        return ask_provider(request, request.user, deed=_deed(case, given["sha256"]), back=back)
    except NotProved as error:
        return _page(request, case, given["reason"], error=str(error), status=422)


def _signed(request: MemberRequest, case: Case, given: dict[str, Any]) -> HttpResponseBase:
    method, reason = Method(given["method"]), given["reason"]

    def is_them() -> Method:
        prove(request, request.user, method, given["proof"], deed=_deed(case, given["sha256"]))
        return method

    shown = Shown(given["revision"], given["sha256"], given["meaning"], reason)
    try:
        signature = sign(case, request.membership, shown, prove=is_them)
    except NotProved as error:
        status = (
            HTTPStatus.TOO_MANY_REQUESTS
            if isinstance(error, TooManyProofs)
            else HTTPStatus.UNPROCESSABLE_ENTITY
        )
        return _page(request, case, reason, error=str(error), method=method, status=status)
    except SigningFails as error:
        before = given["parts"] if isinstance(error, Moved | Incomplete) else None
        return _page(
            request, _again(case), reason, error=str(error), before=before, status=HTTPStatus.CONFLICT
        )
    request.session.pop(_KEPT, None)
    return redirect("ui:result", case.id, signature.result.version)


def _again(case: Case) -> Case:
    return Case.objects.select_related("lab").get(id=case.id)


def _page(
    request: MemberRequest,
    case: Case,
    reason: str,
    *,
    error: str = "",
    method: Method | None = None,
    before: dict[str, str] | None = None,
    shortfall: ShortfallForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context: dict[str, Any] = {"case": case, "error": error, "reason": reason, "Method": Method}
    try:
        prepared = prepare(case, reason, viewer=request.user)
    except SignedAlready as signed:
        if status == HTTPStatus.OK:
            raise ReviewOver from signed
        return render(request, "ui/results/sign.html", context | {"is_over": True}, status=status)
    if prepared.draft:
        text_shown({case.id: case.accession})
        context |= _to_sign(request, prepared, before)
    context |= {
        "prepared": prepared,
        "missing": [(one, reverse(f"ui:{one.page}", args=[case.id])) for one in prepared.missing],
        "is_excusable": any(one.is_excusable for one in prepared.missing),
        "shortfall": shortfall or ShortfallForm(initial={"reason": reason}),
        "tried": method,
    }
    return render(request, "ui/results/sign.html", context, status=status)


def _to_sign(request: MemberRequest, prepared: Prepared, before: dict[str, str] | None) -> dict[str, Any]:
    draft = prepared.draft
    if draft is None:
        return {}
    parts = parts_of(draft.values)
    context: dict[str, Any] = {
        "draft": draft,
        "sheet": sheet_of(draft.values),
        "meaning_label": Signature.Meaning(prepared.meaning).label,
        "signatures": prepared.result.signatures.all() if prepared.result else [],
        "parts": json.dumps(parts),
        "changed": changes(before, parts) if before else [],
    }
    if prepared.missing:
        return context
    methods = methods_of(request.user)
    deed = _deed(prepared.case, draft.digest)
    if Method.PASSKEY in methods:
        context["passkey"] = {"request_options": begin_passkey(request.user, deed=deed)}
    context["came_back"] = has_fresh_sign_in(request, request.user, deed=deed)
    return context | {"methods": methods}


def _deed(case: Case, sha256: str) -> str:
    return f"sign {case.id} {sha256}"


def _place(case: Case) -> Place:
    return Place("django_session", "session_data", case.lab_id, str(case.id))


def _kept_reason(request: MemberRequest, case: Case) -> str:
    """What was typed before the person went to sign in elsewhere."""
    try:
        return unseal_text(str(request.session.get(_KEPT, "")), _place(case))
    except Unreadable:
        return ""
