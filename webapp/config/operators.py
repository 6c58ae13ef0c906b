"""Who may look into the installation itself: its queues (Flower) and dashboards (Grafana).

The proxy before those asks here, with the visitor's cookies, whether to let a request through
(Caddy's `forward_auth`, nginx's `auth_request`).
"""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from webapp.accounts.models import User
from webapp.accounts.selectors import has_second_factor

OPERATOR = "X-Operator"
"""The header that tells the proxy, and by it Grafana, who was let through."""


@require_safe
def admit(request: HttpRequest) -> HttpResponse:
    """204 for staff with a second factor; who lacks it is sent to set one up, and others are refused.

    Strangers are sent to sign in, and from there to `X-Forwarded-Uri`.
    """
    if not isinstance(request.user, User):
        return redirect_to_login(request.headers.get("X-Forwarded-Uri", "/"))
    if not request.user.is_staff:
        raise PermissionDenied
    if not has_second_factor(request.user):
        messages.warning(request, "Set up a second factor first: the pages for operators ask for one.")
        return redirect("mfa_index")
    return HttpResponse(status=204, headers={OPERATOR: request.user.email})
