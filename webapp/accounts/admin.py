"""Django's admin, for those who run the installation: accounts, behind the same door as all pages.

Patients' data is not in it. Changing something asks for a fresh sign-in, and is on record.
"""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import get_adapter as get_sessions_adapter
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.accounts import trail
from webapp.accounts.models import User
from webapp.accounts.reauthentication import fresh_sign_in
from webapp.accounts.selectors import has_second_factor


class StaffSite(admin.AdminSite):
    site_header = site_title = gettext_lazy("HematoVision: the installation")
    index_title = gettext_lazy("Accounts")

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and has_second_factor(request.user)  # type: ignore[arg-type]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)
        changing = fresh_sign_in(guarded)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            asks = self.has_permission(request) and request.method == "POST"
            return (changing if asks else guarded)(request, *args, **kwargs)

        return inner

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Whoever comes here has signed in already, and lacks a second factor; others sign in first."""
        if self.has_permission(request):
            return redirect("admin:index")
        messages.warning(request, _("Set up a second factor first: the admin asks for one."))
        return redirect("mfa_index")


staff_site = StaffSite(name="admin")
staff_site.login = secure_admin_login(staff_site.login)  # type: ignore[method-assign]


@admin.register(User, site=staff_site)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Accounts are closed, never deleted: what a person decided keeps their name."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    actions = ("end_sessions", "remove_second_factors")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = ("email", "last_login", "date_joined")  # an address is changed by its owner, who proves it
        return fixed if request.user.is_superuser else (*fixed, "is_staff", "is_superuser")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """A superuser's account is changed by superusers alone."""
        accounts = super().get_queryset(request)
        return accounts if request.user.is_superuser else accounts.filter(is_superuser=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        trail.account_changed(
            obj,
            before={name: form.initial[name] for name in form.changed_data},
            after={name: form.cleaned_data[name] for name in form.changed_data},
        )

    @admin.action(description=gettext_lazy("End all sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> None:
        get_sessions_adapter().end_sessions(UserSession.objects.filter(user__in=users))

    @admin.action(
        description=gettext_lazy("Remove second factors (a lost phone or key)"), permissions=["change"]
    )
    @transaction.atomic
    def remove_second_factors(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for authenticator in Authenticator.objects.filter(user__in=users).select_related("user"):
            authenticator.delete()
            trail.factor_removed(authenticator.user, authenticator)
