from django.urls import include, path

from webapp.config import health

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("api/v1/", include("webapp.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("webapp.ui.urls")),
]
