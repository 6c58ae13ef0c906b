from django.urls import path

from webapp.api.ranges import views

urlpatterns = [
    path("lab/ranges/", views.Ranges.as_view(), name="ranges"),
    path("lab/ranges/export.csv", views.Export.as_view(), name="ranges-export"),
    path("lab/ranges/correction/", views.Correction.as_view(), name="ranges-correction"),
    path("lab/ranges/approve/", views.Approve.as_view(), name="ranges-approve"),
    path("lab/ranges/withdraw/", views.Withdraw.as_view(), name="ranges-withdraw"),
    path("lab/ranges/retire/", views.Retire.as_view(), name="ranges-retire"),
]
