"""Every address of the product, and what asking it needs. A new one fails the tests until it stands here."""

import inspect
import re
from collections.abc import Iterator
from enum import Enum, auto

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from webapp.labs.permissions import Permission


class Who(Enum):
    """Whom an address that asks for no permission is for."""

    ANYONE = auto()
    SIGNED_IN = auto()
    MEMBER = auto()
    """Of the lab that is worked in, in whatever role."""
    STAFF = auto()
    """Those who run the installation, of no lab's choosing."""


Needed = Permission | Who
ANYONE, SIGNED_IN, MEMBER, STAFF = Who
P = Permission

ENDPOINTS: dict[str, dict[str, Needed]] = {
    "healthz": {"GET": ANYONE},
    "readyz": {"GET": ANYONE},
    "operators/": {"GET": STAFF},
    # API
    "api/v1/schema/": {"GET": ANYONE},
    "api/v1/docs/": {"GET": ANYONE},
    "api/v1/cases/": {"GET": P.VIEW_CASES, "POST": P.CREATE_CASES},
    "api/v1/cases/<uuid:case_id>/": {"GET": P.VIEW_CASES, "PATCH": P.CREATE_CASES},
    "api/v1/cases/search/": {"POST": P.VIEW_IDENTIFIERS},
    "api/v1/cases/<uuid:case_id>/patient/": {"GET": P.VIEW_IDENTIFIERS, "PATCH": P.EDIT_IDENTIFIERS},
    "api/v1/cases/<uuid:case_id>/patient/merge/": {"POST": P.EDIT_IDENTIFIERS},
    "api/v1/cases/<uuid:case_id>/patient/split/": {"POST": P.EDIT_IDENTIFIERS},
    "api/v1/cases/<uuid:case_id>/specimen/": {"GET": P.VIEW_CASES, "PATCH": P.CREATE_CASES},
    "api/v1/cases/<uuid:case_id>/analyser-count/": {"GET": P.VIEW_CASES, "PATCH": P.CREATE_CASES},
    "api/v1/cases/<uuid:case_id>/slides/": {"GET": P.VIEW_CASES, "POST": P.CREATE_CASES},
    "api/v1/cases/<uuid:case_id>/slides/<int:slide_id>/": {"DELETE": P.CREATE_CASES},
    "api/v1/lab/classes/": {"GET": P.VIEW_CASES},
    "api/v1/lab/turnaround/": {"GET": P.VIEW_CASES, "PUT": P.MANAGE_LAB},
    "api/v1/lab/scanners/": {"GET": P.VIEW_CASES, "POST": P.MANAGE_LAB},
    "api/v1/lab/scanners/<int:scanner_id>/": {"DELETE": P.MANAGE_LAB},
    "api/v1/lab/ranges/": {"GET": P.VIEW_CASES, "POST": P.APPROVE},
    "api/v1/lab/ranges/export.csv": {"GET": P.VIEW_CASES},
    "api/v1/lab/ranges/correction/": {"POST": P.APPROVE},
    "api/v1/lab/ranges/approve/": {"POST": P.APPROVE},
    "api/v1/lab/ranges/withdraw/": {"POST": P.APPROVE},
    "api/v1/lab/ranges/retire/": {"POST": P.APPROVE},
    "api/v1/cases/<uuid:case_id>/uploads/": {"POST": P.UPLOAD_IMAGES},
    "api/v1/cases/<uuid:case_id>/uploads/renew/": {"POST": P.UPLOAD_IMAGES},
    "api/v1/cases/<uuid:case_id>/uploads/complete/": {"POST": P.UPLOAD_IMAGES},
    "api/v1/cases/<uuid:case_id>/images/": {"GET": P.VIEW_CASES, "POST": P.UPLOAD_IMAGES},
    "api/v1/cases/<uuid:case_id>/requeue/": {"POST": P.REQUEUE_FAILED},
    "api/v1/dead-letters/": {"GET": P.REQUEUE_FAILED},
    "api/v1/outstanding-files/": {"GET": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/images/slide/": {"PUT": P.CREATE_CASES},
    "api/v1/images/<int:image_id>/": {"GET": P.VIEW_CASES},
    "api/v1/images/<int:image_id>/set-aside/": {"POST": P.UPLOAD_IMAGES},
    "api/v1/images/<int:image_id>/picture/": {"GET": P.VIEW_CASES},
    "api/v1/images/<int:image_id>/evidence/": {"GET": P.VIEW_CASES},
    "api/v1/cells/<int:cell_id>/evidence/": {"GET": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/readings/": {"GET": P.VIEW_CASES, "POST": P.DECIDE},
    "api/v1/readings/<int:reading_id>/": {"GET": P.VIEW_CASES},
    "api/v1/readings/<int:reading_id>/cells/": {"GET": P.VIEW_CASES},
    "api/v1/readings/<int:reading_id>/cells/<int:cell_id>/": {"GET": P.VIEW_CASES},
    "api/v1/readings/<int:reading_id>/cells/<int:cell_id>/similar/": {"GET": P.VIEW_CASES},
    "api/v1/readings/<int:reading_id>/decisions/": {"POST": P.DECIDE},
    "api/v1/readings/<int:reading_id>/changes/": {"GET": P.VIEW_CASES},
    "api/v1/readings/<int:reading_id>/remarks/": {"GET": P.VIEW_CASES, "POST": P.DECIDE},
    "api/v1/readings/<int:reading_id>/finish/": {"POST": P.DECIDE},
    "api/v1/cases/<uuid:case_id>/rules/": {"GET": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/rules/<uuid:rule_id>/answer/": {"POST": P.DECIDE},
    "api/v1/cases/<uuid:case_id>/second-reader/": {"GET": P.VIEW_CASES, "POST": P.VIEW_CASES},  # see BESIDES
    "api/v1/cases/<uuid:case_id>/second-reader/withdraw/": {"POST": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/agreements/": {"GET": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/agreements/<uuid:agreement_id>/settle/": {"POST": P.DECIDE},
    "api/v1/cases/<uuid:case_id>/agreements/<uuid:agreement_id>/confirm/": {"POST": P.DECIDE},
    "api/v1/cases/<uuid:case_id>/agreements/<uuid:agreement_id>/take-back/": {"POST": P.DECIDE},
    "api/v1/lab/rules/": {"GET": P.APPROVE, "POST": P.APPROVE},
    "api/v1/lab/rules/shipped/": {"POST": P.APPROVE},
    "api/v1/lab/rules/try/": {"POST": P.APPROVE},
    "api/v1/lab/rules/<uuid:rule_id>/": {"GET": P.APPROVE, "PUT": P.APPROVE, "DELETE": P.APPROVE},
    "api/v1/lab/rules/<uuid:rule_id>/acceptance/": {"POST": P.APPROVE, "DELETE": P.APPROVE},
    "api/v1/cases/<uuid:case_id>/result/": {"GET": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/results/": {"GET": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/results/<int:version>/": {"GET": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/sign/prepare/": {"POST": P.SIGN},
    "api/v1/cases/<uuid:case_id>/sign/": {"POST": P.SIGN},
    "api/v1/cases/<uuid:case_id>/amend/": {"POST": P.AMEND},
    "api/v1/cases/<uuid:case_id>/amend/withdraw/": {"POST": P.AMEND},
    "api/v1/cases/<uuid:case_id>/void/": {"POST": P.AMEND},
    "api/v1/worklist/": {"GET": P.VIEW_CASES},
    "api/v1/worklist/counts/": {"GET": P.VIEW_CASES},
    "api/v1/worklist/people/": {"GET": P.VIEW_CASES},
    "api/v1/worklist/filters/": {"GET": P.VIEW_CASES, "POST": P.VIEW_CASES},
    "api/v1/worklist/filters/<int:filter_id>/": {"PATCH": P.VIEW_CASES, "DELETE": P.VIEW_CASES},
    "api/v1/cases/<uuid:case_id>/assignee/": {"PUT": P.ASSIGN},
    "api/v1/cases/<uuid:case_id>/take/": {"POST": P.DECIDE},
    "api/v1/cases/<uuid:case_id>/release/": {"POST": P.DECIDE},
    "api/v1/cases/<uuid:case_id>/history/": {"GET": P.VIEW_IDENTIFIERS},
    "api/v1/cases/<uuid:case_id>/calls/": {"GET": P.VIEW_CASES},
    "api/v1/critical-calls/": {"GET": P.VIEW_CASES},
    "api/v1/critical-calls/<uuid:call_id>/log/": {"POST": P.DECIDE},
    "api/v1/lab/delta-limits/": {"GET": P.VIEW_CASES, "POST": P.APPROVE},
    "api/v1/lab/delta-limits/<int:limit_id>/approve/": {"POST": P.APPROVE},
    "api/v1/lab/delta-limits/<int:limit_id>/retire/": {"POST": P.APPROVE},
    "api/v1/models/": {"GET": P.VIEW_MODELS},
    "api/v1/audit/": {"GET": P.VIEW_AUDIT},
    "api/v1/audit/export.csv": {"GET": P.VIEW_AUDIT},
    "api/v1/audit/export.jsonl": {"GET": P.VIEW_AUDIT},
    "api/v1/jobs/": {"GET": P.USE_TOKENS, "POST": P.USE_TOKENS},  # and what the kind asks for
    "api/v1/jobs/<uuid:job_id>/": {"GET": P.USE_TOKENS},
    "api/v1/jobs/<uuid:job_id>/cancel/": {"POST": P.USE_TOKENS},
    "api/v1/jobs/<uuid:job_id>/result/": {"GET": P.USE_TOKENS},
    "api/v1/tokens/": {"GET": P.USE_TOKENS, "POST": ANYONE},  # a password is sent along
    "api/v1/tokens/<int:token_id>/": {"DELETE": P.USE_TOKENS},
    "api/v1/lab/tokens/": {"GET": P.MANAGE_TOKENS},
    "api/v1/lab/tokens/<int:token_id>/": {"DELETE": P.MANAGE_TOKENS},
    # pages: cases and models
    "": {"GET": SIGNED_IN},
    "models/": {"GET": P.VIEW_MODELS},
    "worklist/": {"GET": P.VIEW_CASES},
    "worklist/filters/": {"GET": P.VIEW_CASES, "POST": P.VIEW_CASES},
    "worklist/filters/<int:filter_id>/": {"POST": P.VIEW_CASES},
    "worklist/filters/<int:filter_id>/delete/": {"POST": P.VIEW_CASES},
    "cases/<uuid:case_id>/take/": {"GET": P.DECIDE, "POST": P.DECIDE},
    "cases/<uuid:case_id>/release/": {"POST": P.DECIDE},
    "cases/<uuid:case_id>/assign/": {"GET": P.ASSIGN, "POST": P.ASSIGN},
    "cases/new/": {"GET": P.CREATE_CASES, "POST": P.CREATE_CASES},
    "cases/<uuid:case_id>/": {"GET": P.VIEW_CASES},
    "cases/of-patient/": {"POST": P.VIEW_IDENTIFIERS},
    "cases/<uuid:case_id>/patient/": {"GET": P.EDIT_IDENTIFIERS, "POST": P.EDIT_IDENTIFIERS},
    "cases/<uuid:case_id>/patient/merge/": {"POST": P.EDIT_IDENTIFIERS},
    "cases/<uuid:case_id>/patient/split/": {"POST": P.EDIT_IDENTIFIERS},
    "cases/<uuid:case_id>/specimen/": {"GET": P.CREATE_CASES, "POST": P.CREATE_CASES},
    "cases/<uuid:case_id>/slides/": {"POST": P.CREATE_CASES},
    "cases/<uuid:case_id>/slides/<int:slide_id>/remove/": {"POST": P.CREATE_CASES},
    "cases/<uuid:case_id>/live/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/review/": {"GET": P.DECIDE, "POST": P.DECIDE},
    "cases/<uuid:case_id>/checks/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/rules/<uuid:rule_id>/answer/": {"POST": P.DECIDE},
    "cases/<uuid:case_id>/second-reader/": {"POST": P.VIEW_CASES},  # see BESIDES
    "cases/<uuid:case_id>/second-reader/withdraw/": {"POST": P.VIEW_CASES},
    "cases/<uuid:case_id>/readings/<int:reading_id>/finish/": {"POST": P.DECIDE},
    "cases/<uuid:case_id>/agreement/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/agreement/<uuid:agreement_id>/settle/": {"POST": P.DECIDE},
    "cases/<uuid:case_id>/agreement/<uuid:agreement_id>/confirm/": {"POST": P.DECIDE},
    "cases/<uuid:case_id>/agreement/<uuid:agreement_id>/take-back/": {"POST": P.DECIDE},
    "cases/<uuid:case_id>/sign/": {"GET": P.SIGN, "POST": P.SIGN},
    "cases/<uuid:case_id>/sign/elsewhere/": {"POST": P.SIGN},
    "cases/<uuid:case_id>/result/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/results/<int:version>/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/amend/": {"GET": P.AMEND, "POST": P.AMEND},
    "cases/<uuid:case_id>/amend/withdraw/": {"POST": P.AMEND},
    "cases/<uuid:case_id>/void/": {"GET": P.AMEND, "POST": P.AMEND},
    "cases/<uuid:case_id>/history/": {"GET": P.VIEW_IDENTIFIERS},
    "cases/<uuid:case_id>/calls/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/calls/<uuid:call_id>/log/": {"POST": P.DECIDE},
    "critical/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/files/<int:image_id>/set-aside/": {"GET": P.UPLOAD_IMAGES, "POST": P.UPLOAD_IMAGES},
    "cases/<uuid:case_id>/files/slide/": {"POST": P.CREATE_CASES},
    "cases/<uuid:case_id>/files/": {"GET": P.VIEW_CASES},
    "files/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/requeue/": {"POST": P.REQUEUE_FAILED},
    "cases/<uuid:case_id>/gallery/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/cells/<int:cell_id>/": {"GET": P.VIEW_CASES},
    "cases/<uuid:case_id>/tiles/<cells:cell_ids>.jpg": {"GET": P.VIEW_CASES},
    "audit/": {"GET": P.VIEW_AUDIT},
    "installation/audit/": {"GET": STAFF},
    "installation/audit/export.csv": {"GET": STAFF},
    "installation/audit/export.jsonl": {"GET": STAFF},
    # pages: one's own jobs and notifications
    "jobs/": {"GET": MEMBER},
    "jobs/live/": {"GET": MEMBER},
    "jobs/new/": {"POST": MEMBER},  # and what the kind asks for
    "jobs/<uuid:job_id>/cancel/": {"POST": MEMBER},
    "jobs/<uuid:job_id>/result/": {"GET": MEMBER},
    "notifications/": {"GET": MEMBER},
    "notifications/read/": {"POST": MEMBER},
    "notifications/<int:notification_id>/read/": {"POST": MEMBER},
    "notifications/preferences/": {"GET": MEMBER, "POST": MEMBER},
    # pages: labs
    "lab/": {"POST": SIGNED_IN},
    "lab/leave/": {"GET": MEMBER, "POST": MEMBER},
    "lab/members/": {"GET": P.MANAGE_MEMBERS},
    "lab/members/<int:member_id>/role/": {"POST": P.MANAGE_MEMBERS},
    "lab/members/<int:member_id>/deactivate/": {"POST": P.MANAGE_MEMBERS},
    "lab/members/<int:member_id>/reactivate/": {"POST": P.MANAGE_MEMBERS},
    "lab/members/<int:member_id>/remove/": {"POST": P.MANAGE_MEMBERS},
    "lab/invitations/": {"POST": P.MANAGE_MEMBERS},
    "lab/invitations/<int:invitation_id>/renew/": {"POST": P.MANAGE_MEMBERS},
    "lab/invitations/<int:invitation_id>/revoke/": {"POST": P.MANAGE_MEMBERS},
    "invitations/<str:secret>/": {"GET": ANYONE, "POST": SIGNED_IN},  # the secret in the link lets in
    "lab/roles/": {"GET": P.MANAGE_ROLES},
    "lab/roles/adjust/": {"POST": P.MANAGE_ROLES},
    "lab/rules/": {"GET": P.APPROVE},
    "lab/rules/shipped/": {"POST": P.APPROVE},
    "lab/rules/new/": {"GET": P.APPROVE, "POST": P.APPROVE},
    "lab/rules/<uuid:rule_id>/": {"GET": P.APPROVE, "POST": P.APPROVE},
    "lab/rules/<uuid:rule_id>/accept/": {"POST": P.APPROVE},
    "lab/rules/<uuid:rule_id>/off/": {"POST": P.APPROVE},
    "lab/rules/<uuid:rule_id>/remove/": {"POST": P.APPROVE},
    "lab/settings/": {"GET": P.MANAGE_LAB},
    "lab/settings/change/": {"POST": P.MANAGE_LAB},
    "lab/classes/change/": {"POST": P.MANAGE_LAB},
    "lab/signing/": {"GET": P.MANAGE_LAB},
    "lab/signing/change/": {"POST": P.MANAGE_LAB},
    "lab/turnaround/change/": {"POST": P.MANAGE_LAB},
    "lab/critical-calls/change/": {"POST": P.MANAGE_LAB},
    "lab/delta-limits/": {"GET": P.APPROVE, "POST": P.APPROVE},
    "lab/delta-limits/<int:limit_id>/approve/": {"POST": P.APPROVE},
    "lab/delta-limits/<int:limit_id>/retire/": {"POST": P.APPROVE},
    "lab/scanners/": {"POST": P.MANAGE_LAB},
    "lab/scanners/<int:scanner_id>/remove/": {"POST": P.MANAGE_LAB},
    "lab/ranges/": {"GET": P.VIEW_CASES},
    "lab/ranges/export.csv": {"GET": P.VIEW_CASES},
    "lab/ranges/shipped/": {"POST": P.APPROVE},
    "lab/ranges/correction/": {"POST": P.APPROVE},
    "lab/ranges/new/": {"POST": P.APPROVE},
    "lab/ranges/table/": {"POST": P.APPROVE},
    "lab/ranges/approve/": {"POST": P.APPROVE},
    "lab/ranges/withdraw/": {"POST": P.APPROVE},
    "lab/ranges/retire/": {"POST": P.APPROVE},
    "lab/tokens/": {"GET": P.MANAGE_TOKENS},
    "lab/tokens/<int:token_id>/revoke/": {"POST": P.MANAGE_TOKENS},
    "tokens/": {"GET": P.USE_TOKENS},
    "tokens/new/": {"POST": P.USE_TOKENS},
    "tokens/<int:token_id>/revoke/": {"POST": P.USE_TOKENS},
    "scripts/<slug:language>/<slug:digest>.js": {"GET": ANYONE},
    # pages: accounts
    "accounts/login/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/logout/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/inactive/": {"GET": ANYONE},
    "accounts/signup/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/reauthenticate/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/email/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/confirm-email/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/password/change/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/password/set/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/password/reset/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/password/reset/done/": {"GET": ANYONE},
    "accounts/password/reset/confirm/": {"GET": ANYONE, "POST": ANYONE},  # a code is sent along
    "accounts/password/reset/complete/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/login/code/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/login/code/confirm/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/2fa/": {"GET": SIGNED_IN},
    "accounts/2fa/authenticate/": {"GET": ANYONE, "POST": ANYONE},  # between password and session
    "accounts/2fa/reauthenticate/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/2fa/totp/activate/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/2fa/totp/deactivate/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/2fa/recovery-codes/": {"GET": SIGNED_IN},
    "accounts/2fa/recovery-codes/generate/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/2fa/recovery-codes/download/": {"GET": SIGNED_IN},
    "accounts/2fa/webauthn/": {"GET": SIGNED_IN},
    "accounts/2fa/webauthn/add/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/2fa/webauthn/reauthenticate/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/3rdparty/login/cancelled/": {"GET": ANYONE},
    "accounts/3rdparty/login/error/": {"GET": ANYONE},
    "accounts/3rdparty/signup/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/3rdparty/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/social/login/cancelled/": {"GET": ANYONE},
    "accounts/social/login/error/": {"GET": ANYONE},
    "accounts/social/signup/": {"GET": ANYONE},
    "accounts/social/connections/": {"GET": ANYONE},
    "accounts/oidc/<slug:provider_id>/login/": {"GET": ANYONE, "POST": ANYONE},
    "accounts/oidc/<slug:provider_id>/login/callback/": {"GET": ANYONE},
    "accounts/sessions/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/sessions/<int:pk>/end/": {"POST": SIGNED_IN},
    "accounts/name/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/signing-pin/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts/signing-pin/remove/": {"POST": SIGNED_IN},
}

# What people do themselves, and their programs never: a token does not show who is there.
NOT_BY_TOKEN = {
    "api/v1/cases/<uuid:case_id>/sign/",
    "api/v1/cases/<uuid:case_id>/amend/",
    "api/v1/cases/<uuid:case_id>/amend/withdraw/",
    "api/v1/cases/<uuid:case_id>/void/",
}

# What an address asks for besides, by what it is sent: tests/integration/webapp/review/test_api.py and
# test_second_reader.py.
BESIDES = {
    P.READ_SECOND: "api/v1/cases/<uuid:case_id>/readings/",
    P.SIGN: "api/v1/cases/<uuid:case_id>/rules/<uuid:rule_id>/answer/",
}

# What changes who may do what, hands out keys, or says what is normal: it asks again who is there.
ASKS_AGAIN = {
    "lab/leave/",
    "lab/members/<int:member_id>/role/",
    "lab/members/<int:member_id>/deactivate/",
    "lab/members/<int:member_id>/reactivate/",
    "lab/members/<int:member_id>/remove/",
    "lab/invitations/",
    "lab/invitations/<int:invitation_id>/renew/",
    "lab/invitations/<int:invitation_id>/revoke/",
    "lab/roles/adjust/",
    "lab/settings/change/",
    "lab/classes/change/",
    "lab/ranges/approve/",
    "lab/ranges/correction/",
    "lab/ranges/retire/",
    "lab/delta-limits/<int:limit_id>/approve/",
    "lab/delta-limits/<int:limit_id>/retire/",
    "lab/rules/<uuid:rule_id>/accept/",
    "lab/rules/<uuid:rule_id>/off/",
    "lab/signing/change/",
    "cases/<uuid:case_id>/void/",
    "accounts/signing-pin/",
    "accounts/signing-pin/remove/",
    "lab/turnaround/change/",
    "lab/critical-calls/change/",
    "lab/tokens/<int:token_id>/revoke/",
    "tokens/new/",
    "tokens/<int:token_id>/revoke/",
    "accounts/name/",
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route of the URLconf with its pattern."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            yield route, pattern


def way_in(route: str) -> tuple[object, ...]:
    """All that a request passes at an address before it comes to what is the address's own: the decorators of
    its view, and whatever REST framework does where a view can have it done otherwise.

    Addresses of one way in treat alike whatever is refused on that way.
    """
    view = next(pattern.callback for each, pattern in routes() if each == route)
    of_api: list[object] = []
    if cls := getattr(view, "cls", None):
        names = sorted(name for name in vars(APIView) if not name.startswith("__") and name != "schema")
        of_api = [inspect.getattr_static(cls, name) for name in names] + [vars(view)["initkwargs"]]
    decorators = []
    while within := getattr(view, "__wrapped__", None):
        decorators.append(view.__code__)
        view = within
    return *decorators, repr(of_api)


def path_of(route: str, arguments: dict[str, object]) -> str:
    """An address of the route; `arguments` gives what its variables stand for."""
    return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(arguments[found[1]]), route)


def takes(route: str) -> bool:
    """Whether the address names something."""
    return "<" in route
