from django.urls import path

from webapp.ui.registry import views

urlpatterns = [
    path("models/", views.model_list, name="models"),
]
