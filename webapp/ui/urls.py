from django.urls import path

from webapp.ui.views import audit, cases, cells, models, patients, session

app_name = "ui"
urlpatterns = [
    path("", session.home, name="home"),
    path("lab/", session.switch_lab, name="switch-lab"),
    path("audit/", audit.trail, name="audit"),
    path("models/", models.model_list, name="models"),
    path("cases/", cases.case_list, name="cases"),
    path("cases/new/", cases.new_case, name="new-case"),
    path("cases/<uuid:case_id>/", cases.case_page, name="case"),
    path("cases/of-patient/", patients.cases_of_patient, name="find-patient"),
    path("cases/<uuid:case_id>/patient/", patients.patient, name="case-patient"),
    path("cases/<uuid:case_id>/live/", cases.live, name="case-live"),
    path("cases/<uuid:case_id>/files/", cases.files, name="case-files"),
    path("cases/<uuid:case_id>/requeue/", cases.requeue, name="case-requeue"),
    path("cases/<uuid:case_id>/gallery/", cells.gallery, name="gallery"),
    path("cases/<uuid:case_id>/cells/<int:image_id>/", cells.cell, name="cell"),
    path("cases/<uuid:case_id>/sheets/<int:chunk_id>.jpg", cells.sheet, name="sheet"),
]
