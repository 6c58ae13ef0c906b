from django.urls import path

from webapp.api.results import views

urlpatterns = [
    path("cases/<uuid:case_id>/result/", views.LastResult.as_view(), name="last-result"),
    path("cases/<uuid:case_id>/results/", views.Results.as_view(), name="results"),
    path("cases/<uuid:case_id>/results/<int:version>/", views.OneResult.as_view(), name="result"),
    path("cases/<uuid:case_id>/sign/prepare/", views.ToSign.as_view(), name="sign-prepare"),
    path("cases/<uuid:case_id>/sign/", views.Sign.as_view(), name="sign"),
    path("cases/<uuid:case_id>/amend/", views.Amend.as_view(), name="amend"),
    path("cases/<uuid:case_id>/amend/withdraw/", views.Withdraw.as_view(), name="amend-withdraw"),
    path("cases/<uuid:case_id>/void/", views.Void.as_view(), name="void"),
]
