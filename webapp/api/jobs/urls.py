from django.urls import path

from webapp.api.jobs import views

urlpatterns = [
    path("jobs/", views.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>/", views.JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel/", views.CancelJob.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/result/", views.JobResult.as_view(), name="job-result"),
]
