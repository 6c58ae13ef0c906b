from django.urls import path

from webapp.api.audit import views
from webapp.audit.export import Format

urlpatterns = [
    path("audit/", views.AuditTrail.as_view(), name="audit"),
    path("audit/export.csv", views.AuditExport.as_view(form=Format.CSV), name="audit-csv"),
    path("audit/export.jsonl", views.AuditExport.as_view(form=Format.JSON_LINES), name="audit-jsonl"),
]
