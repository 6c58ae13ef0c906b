"""Who may look into the installation itself: its queues (Flower) and dashboards (Grafana).

The proxy before those asks here, with the visitor's cookies, whether to let a request through
(Caddy's `forward_auth`, nginx's `auth_request`).
"""

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from webapp.accounts.models import User
from webapp.accounts.selectors import has_second_factor

OPERATOR = "X-Operator"
"""The header that tells the proxy, and by it Grafana, who was let through."""


@require_safe
def admit(request: HttpRequest) -> HttpResponse:
    """204 for staff with a second factor, as in the admin; others are refused.

    Strangers are sent to sign in, and from there to `X-Forwarded-Uri`.
    """
    if not isinstance(request.user, User):
        return redirect_to_login(request.headers.get("X-Forwarded-Uri", "/"))
    if not (request.user.is_staff and has_second_factor(request.user)):
        raise PermissionDenied
    return HttpResponse(status=204, headers={OPERATOR: request.user.email})
