"""Who may look into the installation itself: its queues (Flower) and dashboards (Grafana).

The proxy before those asks here, with the visitor's cookies, whether to let a request through
(Caddy's `forward_auth`, nginx's `auth_request`).
"""

from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from webapp.accounts.models import User
from webapp.ui.permissions import redirect_unless_operator

OPERATOR = "X-Operator"
"""The header that tells the proxy, and by it Grafana, who was let through."""


@require_safe
def admit(request: HttpRequest) -> HttpResponseBase:
    """204 for operators; others are redirected or denied. After signing in they come to `X-Forwarded-Uri`."""
    if elsewhere := redirect_unless_operator(request, request.headers.get("X-Forwarded-Uri", "/")):
        return elsewhere
    return HttpResponse(status=204, headers={OPERATOR: cast("User", request.user).email})
