from django.urls import path

from webapp.api.review import second, views

urlpatterns = [
    path("lab/classes/", views.Classes.as_view(), name="lab-classes"),
    path("cases/<uuid:case_id>/readings/", views.Readings.as_view(), name="readings"),
    path("readings/<int:reading_id>/", views.ReadingDetail.as_view(), name="reading"),
    path("readings/<int:reading_id>/cells/", views.Cells.as_view(), name="reading-cells"),
    path("readings/<int:reading_id>/cells/<int:cell_id>/", views.CellDetail.as_view(), name="reading-cell"),
    path(
        "readings/<int:reading_id>/cells/<int:cell_id>/similar/",
        views.Similar.as_view(),
        name="reading-similar",
    ),
    path("readings/<int:reading_id>/decisions/", views.Decisions.as_view(), name="decisions"),
    path("readings/<int:reading_id>/remarks/", second.Remarks.as_view(), name="remarks"),
    path("readings/<int:reading_id>/finish/", second.Finish.as_view(), name="reading-finish"),
    path("cases/<uuid:case_id>/rules/", second.FiredRules.as_view(), name="fired-rules"),
    path(
        "cases/<uuid:case_id>/rules/<uuid:rule_id>/answer/",
        second.RuleAnswers.as_view(),
        name="rule-answer",
    ),
    path("cases/<uuid:case_id>/second-reader/", second.SecondReaders.as_view(), name="second-reader"),
    path(
        "cases/<uuid:case_id>/second-reader/withdraw/",
        second.Withdrawal.as_view(),
        name="second-reader-withdraw",
    ),
    path("cases/<uuid:case_id>/agreements/", second.Agreements.as_view(), name="agreements"),
    path(
        "cases/<uuid:case_id>/agreements/<uuid:agreement_id>/settle/", second.Settle.as_view(), name="settle"
    ),
    path(
        "cases/<uuid:case_id>/agreements/<uuid:agreement_id>/confirm/",
        second.ConfirmSettlement.as_view(),
        name="settle-confirm",
    ),
    path(
        "cases/<uuid:case_id>/agreements/<uuid:agreement_id>/take-back/",
        second.TakeBackSettlement.as_view(),
        name="settle-take-back",
    ),
    path("readings/<int:reading_id>/changes/", views.Changes.as_view(), name="changes"),
]
