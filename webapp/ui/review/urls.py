from django.urls import path

from webapp.ui.review import second, views

urlpatterns = [
    path("cases/<uuid:case_id>/review/", views.review, name="review"),
    path("cases/<uuid:case_id>/checks/", second.checks, name="checks"),
    path("cases/<uuid:case_id>/rules/<uuid:rule_id>/answer/", second.answer, name="rule-answer"),
    path("cases/<uuid:case_id>/second-reader/", second.ask, name="second-reader"),
    path("cases/<uuid:case_id>/second-reader/withdraw/", second.withdraw, name="second-reader-withdraw"),
    path("cases/<uuid:case_id>/readings/<int:reading_id>/finish/", second.finish, name="reading-finish"),
    path("cases/<uuid:case_id>/agreement/", second.agreement, name="agreement"),
    path("cases/<uuid:case_id>/agreement/<uuid:agreement_id>/settle/", second.settle, name="settle"),
    path(
        "cases/<uuid:case_id>/agreement/<uuid:agreement_id>/confirm/",
        second.confirm_settled,
        name="settle-confirm",
    ),
    path(
        "cases/<uuid:case_id>/agreement/<uuid:agreement_id>/take-back/",
        second.take_back_settled,
        name="settle-take-back",
    ),
]
