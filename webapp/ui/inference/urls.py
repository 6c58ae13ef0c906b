from django.urls import path

from webapp.ui.inference import views

urlpatterns = [
    path("cases/<uuid:case_id>/files/", views.files, name="case-files"),
    path("cases/<uuid:case_id>/requeue/", views.requeue, name="case-requeue"),
    path("cases/<uuid:case_id>/gallery/", views.gallery, name="gallery"),
    path("cases/<uuid:case_id>/cells/<int:image_id>/", views.cell, name="cell"),
    path("cases/<uuid:case_id>/sheets/<int:chunk_id>.jpg", views.sheet, name="sheet"),
]
