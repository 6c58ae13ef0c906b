from django.urls import path

from webapp.ui.cases.views import cases, patients, specimens

urlpatterns = [
    path("worklist/", cases.worklist, name="worklist"),
    path("cases/new/", cases.new_case, name="new-case"),
    path("cases/<uuid:case_id>/", cases.case_page, name="case"),
    path("cases/of-patient/", patients.cases_of_patient, name="find-patient"),
    path("cases/<uuid:case_id>/patient/", patients.patient, name="case-patient"),
    path("cases/<uuid:case_id>/patient/merge/", patients.merge_patients, name="case-patient-merge"),
    path("cases/<uuid:case_id>/patient/split/", patients.split_patient, name="case-patient-split"),
    path("cases/<uuid:case_id>/specimen/", specimens.specimen, name="case-specimen"),
    path("cases/<uuid:case_id>/slides/", specimens.new_slide, name="case-slides"),
    path(
        "cases/<uuid:case_id>/slides/<int:slide_id>/remove/",
        specimens.take_back_slide,
        name="case-slide-remove",
    ),
    path("cases/<uuid:case_id>/live/", cases.live, name="case-live"),
]
