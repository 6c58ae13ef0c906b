from django.urls import path

from webapp.ui.results.views import results, settings, signing

urlpatterns = [
    path("cases/<uuid:case_id>/sign/", signing.sign_page, name="sign"),
    path("cases/<uuid:case_id>/sign/elsewhere/", signing.elsewhere, name="sign-elsewhere"),
    path("cases/<uuid:case_id>/result/", results.last_result, name="last-result"),
    path("cases/<uuid:case_id>/results/<int:version>/", results.result, name="result"),
    path("cases/<uuid:case_id>/amend/", results.amend, name="amend"),
    path("cases/<uuid:case_id>/amend/withdraw/", results.withdraw, name="amend-withdraw"),
    path("cases/<uuid:case_id>/void/", results.void, name="void"),
    path("lab/signing/", settings.signing, name="lab-signing"),
    path("lab/signing/change/", settings.change_signing, name="lab-signing-change"),
]
