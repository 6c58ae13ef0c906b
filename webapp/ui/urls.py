from django.urls import path

from webapp.audit.export import Format
from webapp.ui.views import (
    account,
    audit,
    cases,
    cells,
    invitations,
    lab,
    members,
    models,
    patients,
    roles,
    session,
    tokens,
)

app_name = "ui"
urlpatterns = [
    path("", session.home, name="home"),
    path("lab/", session.switch_lab, name="switch-lab"),
    path("audit/", audit.trail, name="audit"),
    path("installation/audit/", audit.installation_trail, name="installation-audit"),
    *(
        path(
            f"installation/audit/export.{form}",
            audit.installation_export,
            {"form": form},
            name=f"installation-audit-{form}",
        )
        for form in Format
    ),
    path("lab/leave/", members.leave, name="leave-lab"),
    path("lab/members/", members.member_list, name="members"),
    path("lab/members/<int:member_id>/role/", members.change_role, name="member-role"),
    path("lab/members/<int:member_id>/deactivate/", members.deactivate, name="member-deactivate"),
    path("lab/members/<int:member_id>/reactivate/", members.reactivate, name="member-reactivate"),
    path("lab/members/<int:member_id>/remove/", members.remove, name="member-remove"),
    path("lab/invitations/", invitations.invite, name="invite"),
    path("lab/invitations/<int:invitation_id>/renew/", invitations.renew, name="invitation-renew"),
    path("lab/invitations/<int:invitation_id>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("lab/roles/", roles.role_table, name="roles"),
    path("lab/roles/adjust/", roles.adjust, name="roles-adjust"),
    path("lab/settings/", lab.settings, name="lab-settings"),
    path("lab/settings/change/", lab.change, name="lab-settings-change"),
    path("lab/tokens/", tokens.lab_tokens, name="lab-tokens"),
    path("lab/tokens/<int:token_id>/revoke/", tokens.revoke_any, name="lab-token-revoke"),
    path("invitations/<str:secret>/", invitations.invitation, name="invitation"),
    path("tokens/", tokens.own_tokens, name="tokens"),
    path("tokens/new/", tokens.make, name="token-new"),
    path("tokens/<int:token_id>/revoke/", tokens.revoke_own, name="token-revoke"),
    path("accounts/name/", account.name, name="name"),
    path("accounts/sessions/<int:pk>/end/", account.end_session, name="end-session"),
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
