from csp.decorators import csp_update
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from webapp.api import audit, token_views, views
from webapp.audit.export import Format

app_name = "api"
urlpatterns = [
    path("cases/", views.CaseList.as_view(), name="cases"),
    path("cases/<uuid:case_id>/", views.CaseDetail.as_view(), name="case"),
    path("cases/search/", views.CaseSearch.as_view(), name="case-search"),
    path("cases/<uuid:case_id>/patient/", views.CasePatient.as_view(), name="case-patient"),
    path("cases/<uuid:case_id>/uploads/", views.UploadBegin.as_view(), name="upload-begin"),
    path("cases/<uuid:case_id>/uploads/renew/", views.UploadRenew.as_view(), name="upload-renew"),
    path("cases/<uuid:case_id>/uploads/complete/", views.UploadComplete.as_view(), name="upload-complete"),
    path("cases/<uuid:case_id>/images/", views.CaseImages.as_view(), name="case-images"),
    path("cases/<uuid:case_id>/requeue/", views.Requeue.as_view(), name="requeue"),
    path("dead-letters/", views.DeadLetters.as_view(), name="dead-letters"),
    path("images/<int:image_id>/", views.ImageDetail.as_view(), name="image"),
    path("images/<int:image_id>/picture/", views.Picture.as_view(), name="picture"),
    path("images/<int:image_id>/evidence/", views.Evidence.as_view(), name="evidence"),
    path("models/", views.ModelVersions.as_view(), name="models"),
    path("audit/", audit.AuditTrail.as_view(), name="audit"),
    path("audit/export.csv", audit.AuditExport.as_view(form=Format.CSV), name="audit-csv"),
    path("audit/export.jsonl", audit.AuditExport.as_view(form=Format.JSON_LINES), name="audit-jsonl"),
    path("tokens/", token_views.Tokens.as_view(), name="tokens"),
    path("tokens/<int:token_id>/", token_views.Token.as_view(), name="token"),
    path("lab/tokens/", token_views.LabTokens.as_view(), name="lab-tokens"),
    path("lab/tokens/<int:token_id>/", token_views.LabToken.as_view(), name="lab-token"),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path(
        "docs/",
        # Its style sheet carries small pictures.
        csp_update({"img-src": ["data:"]})(
            SpectacularSwaggerSplitView.as_view(
                url_name="api:schema", permission_classes=[AllowAny], template_name="api_docs.html"
            )
        ),
        name="docs",
    ),
]
