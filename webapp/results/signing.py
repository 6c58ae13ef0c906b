"""Signing: a named person stands for a document that they saw.

Nothing is signed but what was shown: whoever signs says which document, by its SHA-256, and it is made anew
while the case is held. Who may, and that it is them, is asked at every signature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts.methods import Method
from webapp.accounts.models import User
from webapp.accounts.proof import NotProved
from webapp.audit.actions import Action
from webapp.audit.folding import record_denial
from webapp.audit.services import record
from webapp.cases import processing
from webapp.cases.models import UNDER_WAY, Case, Review
from webapp.cases.services import hold
from webapp.crypto.cipher import Unreadable
from webapp.labs.authorization import may
from webapp.labs.models import Lab, Membership, Signatures
from webapp.labs.permissions import Permission
from webapp.outbox.events import CaseSigned, publish
from webapp.results import readiness
from webapp.results.completeness import Missing, missing, unexcused
from webapp.results.document import Amended, Draft, draft
from webapp.results.interpretation import Interpretation
from webapp.results.models import Result, Signature, Step
from webapp.results.recorded import signature_on_record
from webapp.results.rules import interpreted
from webapp.results.states import settle
from webapp.results.verification import verify
from webapp.review.models import Reading
from webapp.review.selectors import is_blinded

Meaning = Signature.Meaning
NEEDED = {Signatures.ONE: (Meaning.AUTHORISED,), Signatures.TWO: (Meaning.REVIEWED, Meaning.AUTHORISED)}
"""Which signatures a result needs, in their order."""
REASON_LENGTH = 500
ASKED = (Permission.SIGN, Permission.VIEW_IDENTIFIERS)
"""Of whoever signs: what they sign says who the patient is."""


class SigningFails(Exception):
    """Nothing was signed; the message says why."""

    code = "not_signed"


class Moved(SigningFails):
    """Something is otherwise than in the document that was shown."""

    code = "moved"

    def __str__(self) -> str:
        return _("The case has changed since you looked. Nothing was signed: look again.")


class Incomplete(SigningFails):
    """Something is missing."""

    code = "incomplete"

    def __init__(self, found: Sequence[Missing]) -> None:
        super().__init__(found)
        self.missing = list(found)

    def __str__(self) -> str:
        return _("Nothing was signed. %(missing)s") % {
            "missing": " ".join(one.sentence for one in self.missing)
        }


class SignedAlready(SigningFails):
    """It has its signatures, or is void."""

    code = "signed_already"

    def __str__(self) -> str:
        return _("This case is signed already, or void. Nothing was signed.")


class SamePerson(SigningFails):
    """They signed it: the lab asks for two people."""

    code = "same_person"

    def __str__(self) -> str:
        return _("You reviewed this result. The lab asks for somebody else to authorise it.")


class MayNotSign(SigningFails):
    """They could a moment ago."""

    code = "permission_denied"

    def __str__(self) -> str:
        return _("Your role in this lab does not allow this any more. Nothing was signed.")


@dataclass(frozen=True)
class Shown:
    """What a person saw who signs.

    Attributes:
        revision: the reading's.
        sha256: of the document, in hexadecimal.
        meaning: what their signature was said to mean.
        reason: why they sign although something is missing; it stands in the document.
    """

    revision: int
    sha256: str
    meaning: str
    reason: str = ""


@dataclass(frozen=True, repr=False)
class Prepared:
    """What would be signed next. It has no `repr`, for it says who the patient is.

    Attributes:
        result: that awaits its second signature; None: the next signature makes one.
        draft: its document, or that of the reading as it is now; None: nothing can be made of it.
        meaning: of the next signature.
        missing: before it can be given.
    """

    case: Case
    reading: Reading | None
    result: Result | None
    draft: Draft | None
    meaning: Meaning
    missing: list[Missing]


def prepare(case: Case, reason: str = "", *, viewer: User | None = None) -> Prepared:
    """What would be signed of the case now.

    Args:
        viewer: to whom it is shown; who reads the case blinded learns nothing of the first reading.

    Raises:
        SignedAlready: nothing would.
    """
    if case.review == Review.REVIEWED:
        if result := Result.objects.filter(case=case, status=Result.Status.AWAITING).first():
            result.case = case
            shown, found = _awaiting(case, result)
            return Prepared(case, result.reading, result, shown, Meaning.AUTHORISED, found)
        case.refresh_from_db(fields=["review"])  # it was amended, or made void, since it was read
    if case.review not in UNDER_WAY:
        raise SignedAlready
    needed = NEEDED[Signatures(case.lab.signatures)]
    if viewer is not None and is_blinded(case, viewer):
        text = _("You read this case blinded. It can be signed once both readings are finished.")
        return Prepared(case, None, None, None, needed[0], [Missing("blinded", text, "checks")])
    reading = Reading.objects.filter(case=case, kind=Reading.Kind.FIRST).first()
    interpretation = None
    if reading is not None:
        reading.case = case
        interpretation = interpreted(reading)
    found = missing(case, reading, interpretation)
    made = None
    if reading is not None and interpretation is not None and not unexcused(found, reason="any"):
        try:
            made = _draft(case, reading, interpretation, reason, len(needed))
        except Unreadable:
            found.append(Missing("unreadable", _("What is known of the specimen cannot be decrypted.")))
    return Prepared(case, reading, None, made, needed[0], unexcused(found, reason))


def _awaiting(case: Case, result: Result) -> tuple[Draft | None, list[Missing]]:
    """The document that the first signature is under; nobody stands for one that was altered since."""
    found = [
        Missing(
            "altered",
            _("The signed result was altered: %(problem)s.") % {"problem": one.problem},
            page="last-result",
        )
        for one in verify(case)
    ]
    try:
        shown = Draft(result.values, result.document, bytes(result.sha256))
    except (Unreadable, ValueError):
        text = _("The signed document cannot be read any more.")
        return None, found or [Missing("unreadable", text, page="last-result")]
    return (None if found else shown), found


def last_result(case: Case) -> Result | None:
    return Result.objects.filter(case=case).order_by("-version").first()


def sign(case: Case, membership: Membership, shown: Shown, *, prove: Callable[[], Method]) -> Signature:
    """Sign what was shown.

    What is wrong already is told before anybody proves who they are; what comes to be so meanwhile, after.
    Who signs the same document again has the signature they gave. Call it in no transaction: what a wrong
    proof leaves behind must stay.

    Args:
        prove: asks who is there; raises NotProved.

    Raises:
        NotProved: see there. It is on record in the lab, too.
        SigningFails: nothing was signed.
    """
    if given := _given(case, membership, shown):
        return given
    _checked(prepare(case, shown.reason, viewer=membership.user), membership, shown)
    try:
        method = prove()
    except NotProved:
        record_denial(
            Action.SIGNING_DENIED, lab=case.lab_id, subject=case.accession, subject_id=f"case {case.id}"
        )
        raise
    return _sign(case, membership, shown, method)


@transaction.atomic
def _sign(case: Case, membership: Membership, shown: Shown, method: Method) -> Signature:
    processing.lock(case.id)  # before the row, as all do who write what became of images
    case = hold(case)
    case.lab = Lab.objects.get(id=case.lab_id)
    if given := _given(case, membership, shown):
        return given
    member = _as_now(membership)
    prepared = prepare(case, shown.reason, viewer=member.user)
    draft_ = _checked(prepared, member, shown)
    result = prepared.result or _made(prepared, draft_)
    at = timezone.now()
    signature = Signature.objects.create(
        lab_id=case.lab_id,
        result=result,
        by=member.user,
        printed_name=str(member.user),
        role=member.role,
        meaning=prepared.meaning,
        at=at,
        zone=case.lab.time_zone or "UTC",
        method=method,
        sha256=result.sha256,
    )
    settle(case)
    readiness.forget(case)
    record(
        Action.RESULT_SIGNED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after=signature_on_record(signature),
    )
    if case.review in (Review.SIGNED, Review.AMENDED):
        publish(CaseSigned(case.lab_id, case.id, result.id, result.version))
    return signature


def _given(case: Case, membership: Membership, shown: Shown) -> Signature | None:
    """Their signature under this document, where they gave it already."""
    found = Signature.objects.filter(result__case=case, by=membership.user_id).select_related("result")
    theirs = found.order_by("-result__version").first()
    return theirs if theirs and theirs.result.digest == shown.sha256 else None


def _as_now(membership: Membership) -> Membership:
    """The member as they are at this moment; so they stay until the transaction ends.

    Raises:
        MayNotSign: they may not sign any more.
    """
    rows = Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("user", "lab")
    member = rows.filter(id=membership.id).first()
    if member is None or not member.user.is_active or not all(may(member, one) for one in ASKED):
        raise MayNotSign
    return member


def _checked(prepared: Prepared, membership: Membership, shown: Shown) -> Draft:
    """What would be signed, which is what was shown, by somebody who may.

    Raises:
        SigningFails: it is not.
    """
    result, draft_ = prepared.result, prepared.draft
    if result and result.signatures.filter(by=membership.user_id).exists():
        raise SamePerson
    if prepared.missing or draft_ is None:
        raise Incomplete(prepared.missing)
    revision = draft_.values["reading"]["revision"]
    if (draft_.digest, revision, prepared.meaning) != (shown.sha256, shown.revision, shown.meaning):
        raise Moved
    return draft_


def _made(prepared: Prepared, draft_: Draft) -> Result:
    before = last_result(prepared.case)
    result = Result(
        lab_id=prepared.case.lab_id,
        case=prepared.case,
        reading=prepared.reading,
        revision=draft_.values["reading"]["revision"],
        version=draft_.values["version"],
        document=draft_.text,
        sha256=draft_.sha256,
        needed=draft_.values["signatures_needed"],
        amends=before,
        status=Result.Status.AWAITING,
    )
    result.save(force_insert=True)
    return result


def _draft(case: Case, reading: Reading, interpretation: Interpretation, reason: str, needed: int) -> Draft:
    before = last_result(case)
    amended = None
    if before:
        before.case = case
        step = Step.objects.filter(result=before, kind=Step.Kind.AMEND).order_by("-at")[:1].get()
        step.result = before
        amended = Amended(before.version, bytes(before.sha256), step.reason)
    return draft(
        reading,
        interpretation,
        version=before.version + 1 if before else 1,
        needed=needed,
        reason=reason,
        amended=amended,
    )
