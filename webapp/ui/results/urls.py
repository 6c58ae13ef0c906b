from django.urls import path

from webapp.ui.results.views import calls, delta_limits, history, results, settings, signing

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
    path("critical/", calls.call_list, name="critical-calls"),
    path("cases/<uuid:case_id>/history/", history.history_page, name="case-history"),
    path("cases/<uuid:case_id>/calls/", calls.calls_of_case, name="case-calls"),
    path("cases/<uuid:case_id>/calls/<uuid:call_id>/log/", calls.log, name="call-log"),
    path("lab/delta-limits/", delta_limits.limit_list, name="delta-limits"),
    path("lab/delta-limits/<int:limit_id>/approve/", delta_limits.approve, name="delta-limit-approve"),
    path("lab/delta-limits/<int:limit_id>/retire/", delta_limits.retire, name="delta-limit-retire"),
]
