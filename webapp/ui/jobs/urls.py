from django.urls import path

from webapp.ui.jobs import views

urlpatterns = [
    path("jobs/", views.job_list, name="jobs"),
    path("jobs/live/", views.live, name="jobs-live"),
    path("jobs/new/", views.start, name="job-new"),
    path("jobs/<uuid:job_id>/cancel/", views.cancel, name="job-cancel"),
    path("jobs/<uuid:job_id>/result/", views.result, name="job-result"),
]
