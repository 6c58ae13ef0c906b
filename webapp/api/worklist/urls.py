from django.urls import path

from webapp.api.worklist import views

urlpatterns = [
    path("worklist/", views.Worklist.as_view(), name="worklist"),
    path("worklist/counts/", views.WorklistCounts.as_view(), name="worklist-counts"),
    path("worklist/people/", views.People.as_view(), name="worklist-people"),
    path("worklist/filters/", views.SavedFilters.as_view(), name="worklist-filters"),
    path("worklist/filters/<int:filter_id>/", views.OneSavedFilter.as_view(), name="worklist-filter"),
    path("lab/turnaround/", views.Turnaround.as_view(), name="lab-turnaround"),
    path("cases/<uuid:case_id>/assignee/", views.Assignee.as_view(), name="case-assignee"),
    path("cases/<uuid:case_id>/take/", views.Take.as_view(), name="case-take"),
    path("cases/<uuid:case_id>/release/", views.Release.as_view(), name="case-release"),
]
