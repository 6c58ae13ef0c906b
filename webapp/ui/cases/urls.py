from django.urls import path

from webapp.ui.cases.views import cases, patients

urlpatterns = [
    path("cases/", cases.case_list, name="cases"),
    path("cases/new/", cases.new_case, name="new-case"),
    path("cases/<uuid:case_id>/", cases.case_page, name="case"),
    path("cases/of-patient/", patients.cases_of_patient, name="find-patient"),
    path("cases/<uuid:case_id>/patient/", patients.patient, name="case-patient"),
    path("cases/<uuid:case_id>/live/", cases.live, name="case-live"),
]
