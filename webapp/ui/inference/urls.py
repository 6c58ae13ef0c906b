from collections.abc import Sequence

from django.urls import path, register_converter

from webapp.cases.selectors import TILES_AT_ONCE
from webapp.ui.inference import views


class CellIds:
    """The cells of a mosaic, in their order."""

    regex = rf"[0-9]{{1,18}}(?:-[0-9]{{1,18}}){{0,{TILES_AT_ONCE - 1}}}"

    def to_python(self, value: str) -> list[int]:
        return [int(number) for number in value.split("-")]

    def to_url(self, value: Sequence[int]) -> str:
        return "-".join(map(str, value))


register_converter(CellIds, "cells")

urlpatterns = [
    path("cases/<uuid:case_id>/files/", views.files, name="case-files"),
    path("cases/<uuid:case_id>/files/<int:image_id>/set-aside/", views.set_file_aside, name="file-set-aside"),
    path("cases/<uuid:case_id>/files/slide/", views.set_files_slide, name="files-slide"),
    path("files/", views.outstanding, name="outstanding"),
    path("cases/<uuid:case_id>/requeue/", views.requeue, name="case-requeue"),
    path("cases/<uuid:case_id>/gallery/", views.gallery, name="gallery"),
    path("cases/<uuid:case_id>/cells/<int:cell_id>/", views.cell, name="cell"),
    path("cases/<uuid:case_id>/tiles/<cells:cell_ids>.jpg", views.mosaic, name="mosaic"),
]
