from django.urls import path

from webapp.audit.export import Format
from webapp.ui.audit import views

urlpatterns = [
    path("audit/", views.trail, name="audit"),
    path("installation/audit/", views.installation_trail, name="installation-audit"),
    *(
        path(
            f"installation/audit/export.{form}",
            views.installation_export,
            {"form": form},
            name=f"installation-audit-{form}",
        )
        for form in Format
    ),
]
