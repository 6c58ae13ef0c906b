from django.urls import path

from webapp.api.cases import views

urlpatterns = [
    path("cases/", views.CaseList.as_view(), name="cases"),
    path("cases/<uuid:case_id>/", views.CaseDetail.as_view(), name="case"),
    path("cases/search/", views.CaseSearch.as_view(), name="case-search"),
    path("cases/<uuid:case_id>/patient/", views.CasePatient.as_view(), name="case-patient"),
]
