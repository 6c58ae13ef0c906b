from django.urls import path

from webapp.api.registry import views

urlpatterns = [
    path("models/", views.ModelVersions.as_view(), name="models"),
]
