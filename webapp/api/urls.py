from django.urls import include, path

app_name = "api"
urlpatterns = [
    path("", include("webapp.api.cases.urls")),
    path("", include("webapp.api.uploads.urls")),
    path("", include("webapp.api.inference.urls")),
    path("", include("webapp.api.review.urls")),
    path("", include("webapp.api.ranges.urls")),
    path("", include("webapp.api.rules.urls")),
    path("", include("webapp.api.results.urls")),
    path("", include("webapp.api.worklist.urls")),
    path("", include("webapp.api.registry.urls")),
    path("", include("webapp.api.audit.urls")),
    path("", include("webapp.api.jobs.urls")),
    path("", include("webapp.api.labs.urls")),
    path("", include("webapp.api.description")),
]
