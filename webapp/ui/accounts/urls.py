from django.urls import path

from webapp.ui.accounts import views

urlpatterns = [
    path("accounts/name/", views.name, name="name"),
    path("accounts/sessions/<int:pk>/end/", views.end_session, name="end-session"),
]
