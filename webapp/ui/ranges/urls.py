from django.urls import path

from webapp.ui.ranges import views

urlpatterns = [
    path("lab/ranges/", views.ranges, name="ranges"),
    path("lab/ranges/export.csv", views.export, name="ranges-export"),
    path("lab/ranges/shipped/", views.propose_shipped, name="ranges-shipped"),
    path("lab/ranges/correction/", views.set_correction, name="ranges-correction"),
    path("lab/ranges/new/", views.propose_one, name="range-new"),
    path("lab/ranges/table/", views.propose_table, name="ranges-table"),
    path("lab/ranges/approve/", views.approve, name="ranges-approve"),
    path("lab/ranges/withdraw/", views.withdraw, name="ranges-withdraw"),
    path("lab/ranges/retire/", views.retire, name="ranges-retire"),
]
