from django.urls import path

from webapp.ui.worklist import views

urlpatterns = [
    path("worklist/filters/", views.filters, name="worklist-filters"),
    path("worklist/filters/<int:filter_id>/", views.change_filter, name="worklist-filter"),
    path("worklist/filters/<int:filter_id>/delete/", views.delete_filter, name="worklist-filter-delete"),
    path("cases/<uuid:case_id>/take/", views.take, name="case-take"),
    path("cases/<uuid:case_id>/release/", views.release, name="case-release"),
    path("cases/<uuid:case_id>/assign/", views.assign, name="case-assign"),
]
