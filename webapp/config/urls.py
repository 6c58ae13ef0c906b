from django.urls import include, path

from webapp.accounts.admin import staff_site
from webapp.operations import health, operators

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("operators/", operators.admit),
    path("api/v1/", include("webapp.api.urls")),
    path("admin/", staff_site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("webapp.ui.urls")),
]
