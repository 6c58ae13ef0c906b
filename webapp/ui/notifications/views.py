"""What one was told, and where one wants to be told."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.notifications import selectors, services
from webapp.notifications.models import Kind
from webapp.notifications.selectors import Choice
from webapp.ui.permissions import MemberRequest, needs

NOTIFICATIONS_A_PAGE = 50


@needs(None)
@require_GET
def inbox(request: MemberRequest) -> HttpResponseBase:
    pages = Paginator(selectors.inbox(request.membership), NOTIFICATIONS_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    return render(request, "ui/notifications/inbox.html", {"page": page, "Kind": Kind})


@needs(None)
@require_POST
def mark_all_read(request: MemberRequest) -> HttpResponseBase:
    services.mark_read(request.membership)
    return redirect("ui:notifications")


@needs(None)
@require_POST
def mark_read(request: MemberRequest, notification_id: int) -> HttpResponseBase:
    found = get_object_or_404(selectors.inbox(request.membership), id=notification_id)
    services.mark_read(request.membership, [found.id])
    return redirect("ui:notifications")


@needs(None)
@require_http_methods(["GET", "POST"])
def preferences(request: MemberRequest) -> HttpResponseBase:
    if request.method == "POST":
        page, mail = set(request.POST.getlist("in_page")), set(request.POST.getlist("by_mail"))
        services.choose(
            request.membership, [Choice(kind, kind.value in page, kind.value in mail) for kind in Kind]
        )
        messages.success(request, _("Saved."))
        return redirect("ui:notification-preferences")
    context = {"choices": selectors.choices(request.membership)}
    return render(request, "ui/notifications/preferences.html", context)
