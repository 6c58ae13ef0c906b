from django.urls import path

from webapp.api.uploads import views

urlpatterns = [
    path("cases/<uuid:case_id>/uploads/", views.UploadBegin.as_view(), name="upload-begin"),
    path("cases/<uuid:case_id>/uploads/renew/", views.UploadRenew.as_view(), name="upload-renew"),
    path("cases/<uuid:case_id>/uploads/complete/", views.UploadComplete.as_view(), name="upload-complete"),
    path("cases/<uuid:case_id>/images/", views.CaseImages.as_view(), name="case-images"),
]
