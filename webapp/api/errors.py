"""One shape for every error: `{"error": {"code", "message", "fields"?}}`."""

import errno
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from webapp.accounts.sign_in import SignInFailed, TooManyAttempts
from webapp.cases.closing import ReviewOver
from webapp.cases.disclosure import NotInLab
from webapp.cases.services import AccessionTaken, NotTwoPatients
from webapp.cases.setting_aside import CannotBeSetAside
from webapp.cases.specimen_services import InUse, NoSuchSlide, ThereAlready
from webapp.patients.services import PatientErased
from webapp.ranges.services import NotProposed, NotWhole, TooMany
from webapp.results.amending import AmendingFails
from webapp.results.calls import CallEnded
from webapp.results.delta_limits import CountsAlready, LimitFails
from webapp.results.rules import NotFired
from webapp.results.signing import SigningFails
from webapp.review.remark_services import NoRemark
from webapp.review.second_readers import AskedAlready, CannotReadSecond, NotWithdrawn, Undecided
from webapp.review.services import GestureDiffers, NoSuggestion, SeenAlready
from webapp.review.settlement import NotBoth, NotOpen, NotProposedSo, NotThird
from webapp.rules.services import RuleChanged, TooManyRules
from webapp.storage.objects import StorageUnavailable
from webapp.uploads.services import CannotBeReplaced
from webapp.worklist.assigning import AssignedMeanwhile, NotAssignable
from webapp.worklist.saving import NameTaken, TooManyFilters


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


CONFLICTS: dict[type[Exception], str] = {
    AccessionTaken: "accession_taken",
    AskedAlready: "asked_already",
    AssignedMeanwhile: "assigned_meanwhile",
    CallEnded: CallEnded.code,
    CannotBeReplaced: "cannot_be_replaced",
    CannotBeSetAside: "cannot_be_set_aside",
    CannotReadSecond: "cannot_read_second",
    CountsAlready: CountsAlready.code,
    GestureDiffers: "gesture_differs",
    InUse: "in_use",
    LimitFails: LimitFails.code,
    NameTaken: "name_taken",
    NoRemark: "no_remark",
    NoSuchSlide: "no_such_slide",
    NoSuggestion: "no_suggestion",
    NotAssignable: "not_assignable",
    NotBoth: "not_both",
    NotFired: "not_fired",
    NotOpen: "not_open",
    NotProposed: "ranges_not_proposed",
    NotProposedSo: "not_proposed",
    NotThird: "not_third",
    NotTwoPatients: "not_two_patients",
    NotWhole: "ranges_not_whole",
    NotWithdrawn: "not_withdrawn",
    PatientErased: "patient_erased",
    ReviewOver: "review_over",
    RuleChanged: "rule_changed",
    SeenAlready: "seen_already",
    ThereAlready: "there_already",
    TooMany: "too_many_proposed",
    TooManyFilters: "too_many_filters",
    TooManyRules: "too_many_rules",
    Undecided: "undecided",
}


class StoreAway(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "storage_unavailable"
    default_detail = gettext_lazy(
        "The image store does not answer. Nothing was taken; try again in a minute."
    )


class NoRoom(exceptions.APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "no_room"
    default_detail = gettext_lazy(
        "There is no room for these files at the moment. Nothing was taken; try again later."
    )


class NotReceived(exceptions.APIException):
    status_code = status.HTTP_408_REQUEST_TIMEOUT
    default_code = "request_timeout"
    default_detail = gettext_lazy("The request did not arrive whole, or too slowly. Nothing was taken.")


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, NotInLab):
        error = Http404()
    elif isinstance(error, SigningFails | AmendingFails):
        error = Conflict(str(error), error.code)
    elif code := CONFLICTS.get(type(error)):
        error = Conflict(str(error), code)
    elif isinstance(error, StorageUnavailable):
        error = StoreAway()
    elif isinstance(error, UnreadablePostError):
        error = NotReceived()
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        error = NoRoom()
    elif isinstance(error, TooManyAttempts):
        error = exceptions.Throttled(detail=str(error), code=error.code)
    elif isinstance(error, SignInFailed):
        error = exceptions.AuthenticationFailed(str(error), error.code)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        body: dict[str, Any] = {
            "code": "invalid",
            "message": _("Some of what was sent cannot be used; see fields."),
            "fields": error.detail,
        }
    elif isinstance(error, Http404):
        body = {"code": "not_found", "message": _("There is nothing here that you can see.")}
    elif isinstance(error, PermissionDenied):
        body = {"code": "permission_denied", "message": _("You may not do this.")}
    else:
        answered = cast(exceptions.APIException, error)  # nothing else is answered by the handler above
        code = getattr(answered.detail, "code", answered.default_code)
        body = {"code": code, "message": str(answered.detail)}
    response.data = {"error": body}
    return response
