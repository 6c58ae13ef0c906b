from django.urls import path

from webapp.api.cases import patients, specimens, views

urlpatterns = [
    path("cases/", views.CaseList.as_view(), name="cases"),
    path("cases/<uuid:case_id>/", views.CaseDetail.as_view(), name="case"),
    path("cases/search/", views.CaseSearch.as_view(), name="case-search"),
    path("cases/<uuid:case_id>/patient/", patients.CasePatient.as_view(), name="case-patient"),
    path("cases/<uuid:case_id>/patient/merge/", patients.Merge.as_view(), name="case-patient-merge"),
    path("cases/<uuid:case_id>/patient/split/", patients.Split.as_view(), name="case-patient-split"),
    path("cases/<uuid:case_id>/specimen/", specimens.CaseSpecimen.as_view(), name="case-specimen"),
    path(
        "cases/<uuid:case_id>/analyser-count/",
        specimens.CaseAnalyserCount.as_view(),
        name="case-analyser-count",
    ),
    path("cases/<uuid:case_id>/images/slide/", specimens.ImagesSlide.as_view(), name="case-images-slide"),
    path("cases/<uuid:case_id>/slides/", specimens.Slides.as_view(), name="case-slides"),
    path("cases/<uuid:case_id>/slides/<int:slide_id>/", specimens.OneSlide.as_view(), name="case-slide"),
    path("lab/scanners/", specimens.Scanners.as_view(), name="scanners"),
    path("lab/scanners/<int:scanner_id>/", specimens.OneScanner.as_view(), name="scanner"),
]
