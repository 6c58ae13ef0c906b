from django.urls import path

from webapp.api.review import views

urlpatterns = [
    path("lab/classes/", views.Classes.as_view(), name="lab-classes"),
    path("cases/<uuid:case_id>/readings/", views.Readings.as_view(), name="readings"),
    path("readings/<int:reading_id>/", views.ReadingDetail.as_view(), name="reading"),
    path("readings/<int:reading_id>/cells/", views.Cells.as_view(), name="reading-cells"),
    path("readings/<int:reading_id>/cells/<int:cell_id>/", views.CellDetail.as_view(), name="reading-cell"),
    path(
        "readings/<int:reading_id>/cells/<int:cell_id>/similar/",
        views.Similar.as_view(),
        name="reading-similar",
    ),
    path("readings/<int:reading_id>/decisions/", views.Decisions.as_view(), name="decisions"),
    path("readings/<int:reading_id>/changes/", views.Changes.as_view(), name="changes"),
]
