from django.urls import path

from webapp.api.inference import views

urlpatterns = [
    path("cases/<uuid:case_id>/requeue/", views.Requeue.as_view(), name="requeue"),
    path("dead-letters/", views.DeadLetters.as_view(), name="dead-letters"),
    path("outstanding-files/", views.OutstandingFiles.as_view(), name="outstanding-files"),
    path("images/<int:image_id>/", views.ImageDetail.as_view(), name="image"),
    path("images/<int:image_id>/set-aside/", views.SetAside.as_view(), name="image-set-aside"),
    path("images/<int:image_id>/picture/", views.Picture.as_view(), name="picture"),
    path("images/<int:image_id>/evidence/", views.Evidence.as_view(), name="evidence"),
    path("cells/<int:cell_id>/evidence/", views.CellEvidence.as_view(), name="cell-evidence"),
]
