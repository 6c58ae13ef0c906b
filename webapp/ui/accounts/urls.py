from django.urls import path

from webapp.ui.accounts import views

urlpatterns = [
    path("accounts/name/", views.name, name="name"),
    path("accounts/signing-pin/", views.signing_pin, name="signing-pin"),
    path("accounts/signing-pin/remove/", views.remove_signing_pin, name="signing-pin-remove"),
    path("accounts/sessions/<int:pk>/end/", views.end_session, name="end-session"),
]
