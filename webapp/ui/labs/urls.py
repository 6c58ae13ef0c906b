from django.urls import path

from webapp.ui.labs.views import home, invitations, members, roles, scanners, settings, tokens

urlpatterns = [
    path("", home.home, name="home"),
    path("lab/", home.switch_lab, name="switch-lab"),
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
    path("lab/settings/", settings.settings, name="lab-settings"),
    path("lab/settings/change/", settings.change, name="lab-settings-change"),
    path("lab/classes/change/", settings.change_cell_classes, name="lab-classes-change"),
    path("lab/turnaround/change/", settings.set_turnaround, name="lab-turnaround-change"),
    path("lab/critical-calls/change/", settings.change_critical_calls, name="lab-critical-calls-change"),
    path("lab/scanners/", scanners.new_scanner, name="scanner-new"),
    path("lab/scanners/<int:scanner_id>/remove/", scanners.take_back, name="scanner-remove"),
    path("lab/tokens/", tokens.lab_tokens, name="lab-tokens"),
    path("lab/tokens/<int:token_id>/revoke/", tokens.revoke_any, name="lab-token-revoke"),
    path("invitations/<str:secret>/", invitations.invitation, name="invitation"),
    path("tokens/", tokens.own_tokens, name="tokens"),
    path("tokens/new/", tokens.make, name="token-new"),
    path("tokens/<int:token_id>/revoke/", tokens.revoke_own, name="token-revoke"),
]
