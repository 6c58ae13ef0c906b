from django.urls import path

from webapp.ui.review import views

urlpatterns = [
    path("cases/<uuid:case_id>/review/", views.review, name="review"),
]
