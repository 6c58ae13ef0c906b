"""API tokens: one's own, and for administrators those of the whole lab."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs import selectors, tokens
from webapp.labs.models import ApiToken
from webapp.labs.permissions import Permission
from webapp.ui.labs.forms import TokenForm
from webapp.ui.permissions import MemberRequest, needs

TOKENS_A_PAGE = 100


@needs(Permission.USE_TOKENS)
@require_GET
def own_tokens(request: MemberRequest) -> HttpResponseBase:
    return render(request, "ui/labs/tokens.html", _own(request, TokenForm(request.membership)))


@needs(Permission.USE_TOKENS)
@never_cache
@require_POST
@fresh_sign_in
def make(request: MemberRequest) -> HttpResponseBase:
    """Make a token. Its secret is on the answer, and nowhere else ever again."""
    form = TokenForm(request.membership, request.POST)
    if not form.is_valid():
        return render(request, "ui/labs/tokens.html", _own(request, form), status=422)
    given = form.cleaned_data
    _token, secret = tokens.issue_token(
        request.membership,
        given["name"],
        scopes=map(Permission, given["scopes"]),
        days=given["days"],
        networks=given["networks"],
    )
    context = _own(request, TokenForm(request.membership))
    return render(request, "ui/labs/tokens.html", {**context, "secret": secret, "made": given["name"]})


@needs(Permission.USE_TOKENS)
@require_POST
@fresh_sign_in
def revoke_own(request: MemberRequest, token_id: int) -> HttpResponseBase:
    _revoke(request, get_object_or_404(selectors.tokens_of(request.membership), id=token_id))
    return redirect("ui:tokens")


@needs(Permission.MANAGE_TOKENS)
@require_GET
def lab_tokens(request: MemberRequest) -> HttpResponseBase:
    pages = Paginator(selectors.lab_tokens(), TOKENS_A_PAGE)
    return render(request, "ui/labs/all_tokens.html", {"page": pages.get_page(request.GET.get("page"))})


@needs(Permission.MANAGE_TOKENS)
@require_POST
@fresh_sign_in
def revoke_any(request: MemberRequest, token_id: int) -> HttpResponseBase:
    _revoke(request, get_object_or_404(selectors.lab_tokens(), id=token_id))
    return redirect("ui:lab-tokens")


def _own(request: MemberRequest, form: TokenForm) -> dict[str, Any]:
    return {"tokens": selectors.tokens_of(request.membership), "form": form}


def _revoke(request: MemberRequest, token: ApiToken) -> None:
    tokens.revoke(token)
    messages.success(
        request, _("The token %(token)s is revoked; programs that use it are out at once.") % {"token": token}
    )
