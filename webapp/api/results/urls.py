from django.urls import path

from webapp.api.results import calls, delta_limits, history, views

urlpatterns = [
    path("cases/<uuid:case_id>/result/", views.LastResult.as_view(), name="last-result"),
    path("cases/<uuid:case_id>/results/", views.Results.as_view(), name="results"),
    path("cases/<uuid:case_id>/results/<int:version>/", views.OneResult.as_view(), name="result"),
    path("cases/<uuid:case_id>/sign/prepare/", views.ToSign.as_view(), name="sign-prepare"),
    path("cases/<uuid:case_id>/sign/", views.Sign.as_view(), name="sign"),
    path("cases/<uuid:case_id>/amend/", views.Amend.as_view(), name="amend"),
    path("cases/<uuid:case_id>/amend/withdraw/", views.Withdraw.as_view(), name="amend-withdraw"),
    path("cases/<uuid:case_id>/void/", views.Void.as_view(), name="void"),
    path("cases/<uuid:case_id>/history/", history.CaseHistory.as_view(), name="case-history"),
    path("cases/<uuid:case_id>/calls/", calls.CaseCalls.as_view(), name="case-calls"),
    path("critical-calls/", calls.CriticalCalls.as_view(), name="critical-calls"),
    path("critical-calls/<uuid:call_id>/log/", calls.CallLog.as_view(), name="call-log"),
    path("lab/delta-limits/", delta_limits.DeltaLimits.as_view(), name="delta-limits"),
    path(
        "lab/delta-limits/<int:limit_id>/approve/", delta_limits.Approve.as_view(), name="delta-limit-approve"
    ),
    path("lab/delta-limits/<int:limit_id>/retire/", delta_limits.Retire.as_view(), name="delta-limit-retire"),
]
