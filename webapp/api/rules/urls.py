from django.urls import path

from webapp.api.rules import views

urlpatterns = [
    path("lab/rules/", views.Rules.as_view(), name="rules"),
    path("lab/rules/shipped/", views.Shipped.as_view(), name="rules-shipped"),
    path("lab/rules/try/", views.Try.as_view(), name="rules-try"),
    path("lab/rules/<uuid:rule_id>/", views.RuleDetail.as_view(), name="rule"),
    path("lab/rules/<uuid:rule_id>/acceptance/", views.Acceptance.as_view(), name="rule-acceptance"),
]
