"""What is kept on record: every action with the sentence a person reads."""

from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from serving.contract.sentence import N_


class Action(TextChoices):
    """`area.verb`, and what is said of the actor.

    A sentence may use `{subject}`, and `{before[key]}` and `{after[key]}` for what `record` was given.
    `:word` says it in the reader's language where it is words of ours (`webapp.audit.words`), `:words` each
    of several in a line, `:a` with the English article before it, `:of case` makes a number that of cases.
    Translations use the same. Once released, a value is never given another meaning: old entries keep it.
    """

    # What happens to cases
    CASE_CREATED = "case.created", _("created case {subject}")
    CASE_OPENED = "case.opened", _("opened case {subject}")
    IMAGES_UPLOADED = "case.images_uploaded", _("uploaded images to case {subject} ({after[images]})")
    IMAGES_REQUEUED = (
        "case.images_requeued",
        _("had images of case {subject} tried again ({after[images]})"),
    )
    CASE_RERUN = (
        "case.rerun",
        _("had {after[model]} say again what the cells of case {subject} are ({after[images]})"),
    )
    IDENTIFIERS_CHANGED = (
        "case.identifiers_changed",
        _("entered or corrected the patient of case {subject}: {after[fields]:words}"),
    )
    PATIENT_LINKED = "case.patient_linked", _("made case {subject} one of a patient known by MRN")
    IDENTIFIERS_KEPT = (
        "case.identifiers_kept",
        _("gave the patient of case {subject} otherwise than known, which stayed: {after[fields]:words}"),
    )
    PATIENTS_MERGED = (
        "case.patients_merged",
        _("merged the patient of case {after[other]} into that of case {subject} ({after[cases]:of case})"),
    )
    PATIENT_SPLIT = "case.patient_split", _("parted the patient of case {subject} from the one it was of")
    PATIENT_ERASED = "patient.erased", _("erased a patient of {after[cases]:of case}")
    SPECIMEN_CHANGED = (
        "case.specimen_changed",
        _("entered or corrected the specimen of case {subject}: {after[fields]:words}"),
    )
    ANALYSER_COUNT_CHANGED = (
        "case.analyser_count_changed",
        _("entered or corrected the analyser’s count of case {subject}: {after[fields]:words}"),
    )
    PRIORITY_CHANGED = (
        "case.priority_changed",
        _("set the priority of case {subject}: {before[priority]:word} → {after[priority]:word}"),
    )
    IMAGE_REPLACED = (
        "case.image_replaced",
        _("gave another file in place of one that does not count, in case {subject}"),
    )
    FILE_SET_ASIDE = "case.file_set_aside", _("set aside a refused file of case {subject}")
    IMAGES_SLIDE_SET = (
        "case.images_slide_set",
        _("said of which slide images of case {subject} are ({after[images]})"),
    )
    SLIDE_ADDED = "case.slide_added", _("added slide {after[label]} to case {subject}")
    SLIDE_REMOVED = "case.slide_removed", _("removed slide {before[label]} of case {subject}")
    IDENTIFIERS_UNREADABLE = (
        "case.identifiers_unreadable",
        _("was not shown the patient of case {subject}: {after[fields]:words} cannot be decrypted"),
    )
    # Whose work it is
    CASE_ASSIGNED = "case.assigned", _("assigned case {subject} to {after[assignee]}")
    CASE_TAKEN = "case.taken", _("took case {subject}")
    CASE_TAKEN_OVER = "case.taken_over", _("took case {subject} over from {before[assignee]}")
    CASE_RELEASED = "case.released", _("released case {subject}, which was {before[assignee]}’s")
    READING_OPENED = "case.reading_opened", _("opened the {after[kind]:word} reading of case {subject}")
    # Once a minute for each person and reading, with the place of its first decision: each is kept by itself.
    CELLS_DECIDED = "case.cells_decided", _("decided of what class cells of case {subject} are")
    READING_FINISHED = "case.reading_finished", _("finished the {after[kind]:word} reading of case {subject}")
    SECOND_READER_ASKED = "case.second_reader_asked", _("asked for a second reader of case {subject}")
    SECOND_READER_WITHDRAWN = (
        "case.second_reader_withdrawn",
        _("withdrew the asking for a second reader of case {subject}"),
    )
    READINGS_COMPARED = (
        "case.readings_compared",
        _("had the first and the second reading of case {subject} compared"),
    )
    SETTLEMENT_PROPOSED = (
        "case.settlement_proposed",
        _("proposed to the other reader of case {subject} of what class cells are"),
    )
    SETTLEMENT_TAKEN_BACK = (
        "case.settlement_taken_back",
        _("took back, or turned down, what was proposed of cells of case {subject}"),
    )
    DISAGREEMENTS_SETTLED = (
        "case.disagreements_settled",
        _("settled of what class cells of case {subject} are, on which its readings differ"),
    )
    REMARK_MADE = "case.remark_made", _("remarked on case {subject}: {after[term]:word}")
    REMARK_TAKEN_BACK = (
        "case.remark_taken_back",
        _("took back a remark on case {subject}: {after[term]:word}"),
    )
    RULE_ANSWERED = (
        "case.rule_answered",
        _("answered the rule “{after[rule]}” on case {subject}: {after[answer]:word}"),
    )
    RESULT_SIGNED = (
        "result.signed",
        _("signed version {after[version]} of the result of case {subject} ({after[meaning]:word})"),
    )
    RESULT_AMENDED = (
        "result.amended",
        _("began to amend version {after[version]} of the result of case {subject}"),
    )
    AMENDMENT_WITHDRAWN = (
        "result.amendment_withdrawn",
        _("withdrew the amendment of version {after[version]} of the result of case {subject}"),
    )
    RESULT_VOIDED = (
        "result.voided",
        _("made version {after[version]} of the result of case {subject} void"),
    )
    HISTORY_SHOWN = (
        "result.history_shown",
        _("saw earlier results of a patient, of {after[cases]:of case}"),
    )
    CALL_LOGGED = (
        "result.call_logged",
        _("logged a call about critical values of case {subject}: {after[outcome]:word}"),
    )
    RESULT_OPENED = "result.opened", _("opened the result of case {subject}")
    RESULT_ALTERED = "result.found_altered", _("opened the result of case {subject}, which was altered")
    SIGNING_DENIED = "result.signing_denied", _("was denied to sign case {subject}")
    SIGNING_DENIED_AGAIN = (
        "result.signing_denied_again",
        _("was denied to sign case {subject}, {after[times]} times within a minute"),
    )
    RESULTS_VERIFIED = "result.verified", _("found all signed results whole ({after[results]})")
    RESULTS_ALTERED = (
        "result.altered",
        _("found signed results that were altered ({after[findings]} findings)"),
    )
    PATIENT_SEARCHED = (
        "case.patient_searched",
        _("searched for a patient by MRN and found {after[cases]:of case}"),
    )
    # Which cases is in `after`: their ids and accession numbers. Recorded by `folding.record_shown`.
    IDENTIFIERS_SHOWN = "case.identifiers_shown", _("saw the identifiers of {after[cases]:of case}")

    # Who belongs to a lab, and the keys of its programs
    LAB_CREATED = "lab.created", _("created the lab {subject}")
    LAB_CHANGED = (
        "lab.changed",
        _(
            "set the lab’s time zone to {after[time_zone]} and a full count to {after[full_count]} white "
            "cells"
        ),
    )
    LAB_TURNAROUND_SET = "lab.turnaround_set", _("set in how many hours the lab’s results are due")
    LAB_CLASSES_CHANGED = (
        "lab.classes_changed",
        _("set which classes of cells the lab uses, and their order"),
    )
    LAB_LANGUAGE_SET = "lab.language_set", _("set the lab’s language to {after[language]}")
    RANGES_PROPOSED = "lab.ranges_proposed", _("proposed reference ranges ({after[ranges]})")
    RANGES_APPROVED = "lab.ranges_approved", _("approved reference ranges ({after[ranges]})")
    RANGES_RETIRED = "lab.ranges_retired", _("retired reference ranges ({after[ranges]})")
    NRBC_CORRECTION_SET = (
        "lab.nrbc_correction_set",
        _(
            "set from how many erythroblasts per 100 white cells on an analyser’s count is corrected: "
            "{after[nrbc_correction_from]}"
        ),
    )
    RANGES_WITHDRAWN = "lab.ranges_withdrawn", _("took back proposed reference ranges ({after[ranges]})")
    LAB_SIGNATURES_SET = (
        "lab.signatures_set",
        _("set how many people sign a result to {after[signatures]:word}"),
    )
    CRITICAL_CALLS_SET = (
        "lab.critical_calls_set",
        _("set in how many minutes somebody is to be told of a critical result"),
    )
    DELTA_LIMIT_PROPOSED = (
        "lab.delta_limit_proposed",
        _("proposed from which change on a value is marked: {after[limit]}"),
    )
    DELTA_LIMIT_APPROVED = (
        "lab.delta_limit_approved",
        _("approved from which change on a value is marked: {after[limit]}"),
    )
    DELTA_LIMIT_RETIRED = (
        "lab.delta_limit_retired",
        _("retired from which change on a value is marked: {after[limit]}"),
    )
    SCANNER_ADDED = "lab.scanner_added", _("added the scanner {subject}")
    SCANNER_REMOVED = "lab.scanner_removed", _("removed the scanner {subject}")
    RULE_ADDED = "rule.added", _("added the rule “{subject}”, which is off")
    RULE_CHANGED = "rule.changed", _("changed the rule “{subject}” to version {after[version]}, which is off")
    RULE_ACCEPTED = "rule.accepted", _("accepted the rule “{subject}”, version {after[version]}")
    RULE_TURNED_OFF = "rule.turned_off", _("turned the rule “{subject}” off")
    RULE_REMOVED = "rule.removed", _("removed the rule “{subject}”")
    MEMBER_ROLE_SET = "member.role_set", _("made {subject} {after[role]:a}")
    MEMBER_INVITED = "member.invited", _("invited {subject} as {after[role]:word}")
    INVITATION_RENEWED = "member.invitation_renewed", _("sent {subject} their invitation again")
    INVITATION_REVOKED = "member.invitation_revoked", _("revoked the invitation of {subject}")
    MEMBER_JOINED = "member.joined", _("accepted an invitation and joined as {after[role]:word}")
    MEMBER_DEACTIVATED = "member.deactivated", _("deactivated {subject}")
    MEMBER_REACTIVATED = "member.reactivated", _("reactivated {subject}")
    MEMBER_REMOVED = "member.removed", _("removed {subject} from the lab")
    MEMBER_LEFT = "member.left", _("left the lab")
    ROLE_CHANGED = "role.changed", _("changed what the role {subject:word} may do or asks for")
    TOKEN_MADE = "token.made", _("made the API token {subject:word}")
    TOKEN_REVOKED = "token.revoked", _("revoked the API token {subject:word}")
    TOKEN_ENDED = "token.ended", _("set a new password, and so ended the API token {subject:word}")

    # Which models answer
    MODEL_PUBLISHED = "model.published", _("published {subject:word}")
    MODEL_ROLLED_BACK = "model.rolled_back", _("withdrew {subject:word}")

    # The keys that encrypt patient identifiers
    KEYS_ROTATED = "keys.rotated", _("sealed {after[rows]} rows anew with data key {subject}")

    # Accounts and sessions: in the installation's chain
    SIGNED_UP = "account.signed_up", _("made themselves an account")
    SIGNED_IN = "account.signed_in", _("signed in")
    SIGNED_OUT = "account.signed_out", _("signed out")
    PASSWORD_CHANGED = "account.password_changed", _("changed their password")
    PASSWORD_RESET = "account.password_reset", _("set a new password with a mailed code")
    EMAIL_CHANGED = "account.email_changed", _("changed their e-mail address to {after[email]}")
    NAME_CHANGED = "account.name_changed", _("changed their name to {after[name]}")
    FACTOR_ADDED = "account.factor_added", _("set up a second factor ({after[factor]:word})")
    FACTOR_REMOVED = (
        "account.factor_removed",
        _("removed a second factor of {subject} ({before[factor]:word})"),
    )
    RECOVERY_CODE_USED = "account.recovery_code_used", _("used a recovery code ({after[left]} left)")
    SERVICE_CONNECTED = "account.service_connected", _("connected {after[service]} to sign in with")
    SERVICE_DISCONNECTED = "account.service_disconnected", _("disconnected {before[service]}")
    SIGNING_PIN_SET = "account.signing_pin_set", _("set a signing PIN")
    SIGNING_PIN_CHANGED = "account.signing_pin_changed", _("changed their signing PIN")
    SIGNING_PIN_REMOVED = "account.signing_pin_removed", _("removed their signing PIN")
    SIGNING_PIN_LOCKED = (
        "account.signing_pin_locked",
        _("gave a wrong signing PIN too often, so that it is locked"),
    )
    SESSIONS_ENDED = "account.sessions_ended", _("ended sessions of {subject} ({after[sessions]})")
    ACCOUNT_CHANGED = "account.changed", _("changed the account of {subject}")

    BACKUP_MADE = "backup.made", _("made the backup {subject} with {after[objects]} objects")
    BACKUP_RESTORED = "backup.restored", _("restored the backup {subject} with {after[objects]} objects")

    # What was denied, and who could not sign in: recorded by `folding.record_denial`
    ACCESS_DENIED = "access.denied", _("was denied {subject:word}")
    ACCESS_DENIED_AGAIN = (
        "access.denied_again",
        _("was denied {subject:word}, {after[times]} times within a minute"),
    )
    SIGN_IN_FAILED = "sign_in.failed", _("failed to sign in as {subject:word}")
    SIGN_IN_FAILED_AGAIN = (
        "sign_in.failed_again",
        _("failed to sign in as {subject:word}, {after[times]} times within a minute"),
    )

    # The trail itself
    AUDIT_ANCHORED = "audit.anchored", _("anchored the audit trail outside the database")
    AUDIT_VERIFIED = "audit.verified", _("found the audit trail whole ({after[entries]} entries)")
    AUDIT_BROKEN = "audit.broken", _("found the audit trail tampered with ({after[findings]} findings)")
    AUDIT_EXPORTED = "audit.exported", _("exported the audit trail ({after[format]})")

    @property
    def area(self) -> str:
        return self.value.partition(".")[0]

    @property
    def area_name(self) -> str:
        return gettext(self.area.replace("_", " ").capitalize())

    @property
    def verb(self) -> str:
        return gettext(self.value.partition(".")[2].replace("_", " "))


AREAS = (
    N_("Case"),
    N_("Result"),
    N_("Patient"),
    N_("Lab"),
    N_("Member"),
    N_("Role"),
    N_("Rule"),
    N_("Token"),
    N_("Model"),
    N_("Keys"),
    N_("Account"),
    N_("Backup"),
    N_("Access"),
    N_("Sign in"),
    N_("Audit"),
)
VERBS = (
    N_("created"),
    N_("opened"),
    N_("images uploaded"),
    N_("images requeued"),
    N_("rerun"),
    N_("identifiers changed"),
    N_("patient linked"),
    N_("identifiers kept"),
    N_("patients merged"),
    N_("patient split"),
    N_("erased"),
    N_("specimen changed"),
    N_("analyser count changed"),
    N_("priority changed"),
    N_("image replaced"),
    N_("file set aside"),
    N_("images slide set"),
    N_("slide added"),
    N_("slide removed"),
    N_("identifiers unreadable"),
    N_("assigned"),
    N_("taken"),
    N_("taken over"),
    N_("released"),
    N_("reading opened"),
    N_("cells decided"),
    N_("reading finished"),
    N_("second reader asked"),
    N_("second reader withdrawn"),
    N_("readings compared"),
    N_("settlement proposed"),
    N_("settlement taken back"),
    N_("disagreements settled"),
    N_("remark made"),
    N_("remark taken back"),
    N_("rule answered"),
    N_("added"),
    N_("accepted"),
    N_("turned off"),
    N_("signed"),
    N_("amended"),
    N_("amendment withdrawn"),
    N_("voided"),
    N_("signing denied"),
    N_("signing denied again"),
    N_("altered"),
    N_("found altered"),
    N_("signatures set"),
    N_("history shown"),
    N_("call logged"),
    N_("critical calls set"),
    N_("delta limit proposed"),
    N_("delta limit approved"),
    N_("delta limit retired"),
    N_("patient searched"),
    N_("identifiers shown"),
    N_("changed"),
    N_("ranges proposed"),
    N_("ranges approved"),
    N_("ranges retired"),
    N_("ranges withdrawn"),
    N_("nrbc correction set"),
    N_("scanner added"),
    N_("scanner removed"),
    N_("turnaround set"),
    N_("classes changed"),
    N_("language set"),
    N_("role set"),
    N_("invited"),
    N_("invitation renewed"),
    N_("invitation revoked"),
    N_("joined"),
    N_("deactivated"),
    N_("reactivated"),
    N_("removed"),
    N_("left"),
    N_("made"),
    N_("revoked"),
    N_("ended"),
    N_("published"),
    N_("rolled back"),
    N_("rotated"),
    N_("signed up"),
    N_("signed in"),
    N_("signed out"),
    N_("password changed"),
    N_("password reset"),
    N_("email changed"),
    N_("name changed"),
    N_("factor added"),
    N_("factor removed"),
    N_("recovery code used"),
    N_("service connected"),
    N_("service disconnected"),
    N_("signing pin set"),
    N_("signing pin changed"),
    N_("signing pin removed"),
    N_("signing pin locked"),
    N_("sessions ended"),
    N_("restored"),
    N_("denied"),
    N_("denied again"),
    N_("failed"),
    N_("failed again"),
    N_("anchored"),
    N_("verified"),
    N_("broken"),
    N_("exported"),
)
"""What `area_name` and `verb` say of all actions, for the catalogues."""
