from django.urls import path

from webapp.api.labs import views

urlpatterns = [
    path("tokens/", views.Tokens.as_view(), name="tokens"),
    path("tokens/<int:token_id>/", views.Token.as_view(), name="token"),
    path("lab/tokens/", views.LabTokens.as_view(), name="lab-tokens"),
    path("lab/tokens/<int:token_id>/", views.LabToken.as_view(), name="lab-token"),
]
