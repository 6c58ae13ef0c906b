from django.urls import path

from webapp.ui.rules import views

urlpatterns = [
    path("lab/rules/", views.rules, name="rules"),
    path("lab/rules/shipped/", views.take_shipped, name="rules-shipped"),
    path("lab/rules/new/", views.new_rule, name="rule-new"),
    path("lab/rules/<uuid:rule_id>/", views.rule, name="rule"),
    path("lab/rules/<uuid:rule_id>/accept/", views.accept, name="rule-accept"),
    path("lab/rules/<uuid:rule_id>/off/", views.turn_off, name="rule-off"),
    path("lab/rules/<uuid:rule_id>/remove/", views.remove, name="rule-remove"),
]
