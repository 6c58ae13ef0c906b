from django.urls import path

from webapp.ui.accounts.urls import urlpatterns as accounts
from webapp.ui.audit.urls import urlpatterns as audit
from webapp.ui.cases.urls import urlpatterns as cases
from webapp.ui.catalogue import catalogue
from webapp.ui.inference.urls import urlpatterns as inference
from webapp.ui.jobs.urls import urlpatterns as jobs
from webapp.ui.labs.urls import urlpatterns as labs
from webapp.ui.notifications.urls import urlpatterns as notifications
from webapp.ui.ranges.urls import urlpatterns as ranges
from webapp.ui.registry.urls import urlpatterns as registry
from webapp.ui.results.urls import urlpatterns as results
from webapp.ui.review.urls import urlpatterns as review
from webapp.ui.rules.urls import urlpatterns as rules
from webapp.ui.worklist.urls import urlpatterns as worklist

app_name = "ui"
urlpatterns = [
    *accounts,
    *audit,
    *cases,
    *inference,
    *jobs,
    *labs,
    *notifications,
    *ranges,
    *registry,
    *results,
    *review,
    *rules,
    *worklist,
    path("scripts/<slug:language>/<slug:digest>.js", catalogue, name="catalogue"),
]
