"""What is kept on record: every action with the sentence a person reads."""

from django.db.models import TextChoices


class Action(TextChoices):
    """`area.verb`, and what is said of the actor.

    A sentence may use `{subject}`, and `{before[key]}` and `{after[key]}` for what `record` was given; `:a`
    puts an article before it, `:of case` makes a number that of cases. Once released, a value is never given
    another meaning: old entries keep it.
    """

    # What happens to cases
    CASE_CREATED = "case.created", "created case {subject}"
    CASE_OPENED = "case.opened", "opened case {subject}"
    IMAGES_UPLOADED = "case.images_uploaded", "uploaded images to case {subject} ({after[images]})"
    IMAGES_REQUEUED = (
        "case.images_requeued",
        "had images of case {subject} tried again ({after[images]})",
    )
    CASE_RERUN = (
        "case.rerun",
        "had {after[model]} say again what the cells of case {subject} are ({after[images]})",
    )
    IDENTIFIERS_CHANGED = (
        "case.identifiers_changed",
        "entered or corrected the patient of case {subject}: {after[fields]}",
    )
    PATIENT_LINKED = "case.patient_linked", "made case {subject} one of a patient known by MRN"
    IDENTIFIERS_KEPT = (
        "case.identifiers_kept",
        "gave the patient of case {subject} otherwise than known, which stayed: {after[fields]}",
    )
    PATIENTS_MERGED = (
        "case.patients_merged",
        "merged the patient of case {after[other]} into that of case {subject} ({after[cases]:of case})",
    )
    PATIENT_SPLIT = "case.patient_split", "parted the patient of case {subject} from the one it was of"
    PATIENT_ERASED = "patient.erased", "erased a patient of {after[cases]:of case}"
    SPECIMEN_CHANGED = (
        "case.specimen_changed",
        "entered or corrected the specimen of case {subject}: {after[fields]}",
    )
    SLIDE_ADDED = "case.slide_added", "added slide {after[label]} to case {subject}"
    SLIDE_REMOVED = "case.slide_removed", "removed slide {before[label]} of case {subject}"
    IDENTIFIERS_UNREADABLE = (
        "case.identifiers_unreadable",
        "was not shown the patient of case {subject}: {after[fields]} cannot be decrypted",
    )
    READING_OPENED = "case.reading_opened", "opened the {after[kind]} reading of case {subject}"
    # Once a minute for each person and reading, with the place of its first decision: each is kept by itself.
    CELLS_DECIDED = "case.cells_decided", "decided of what class cells of case {subject} are"
    PATIENT_SEARCHED = (
        "case.patient_searched",
        "searched for a patient by MRN and found {after[cases]:of case}",
    )
    # Which cases is in `after`: their ids and accession numbers. Recorded by `folding.record_shown`.
    IDENTIFIERS_SHOWN = "case.identifiers_shown", "saw the identifiers of {after[cases]:of case}"

    # Who belongs to a lab, and the keys of its programs
    LAB_CREATED = "lab.created", "created the lab {subject}"
    LAB_CHANGED = (
        "lab.changed",
        "set the lab’s time zone to {after[time_zone]} and a full count to {after[full_count]} white cells",
    )
    LAB_LANGUAGE_SET = "lab.language_set", "set the lab’s language to {after[language]}"
    SCANNER_ADDED = "lab.scanner_added", "added the scanner {subject}"
    SCANNER_REMOVED = "lab.scanner_removed", "removed the scanner {subject}"
    MEMBER_ROLE_SET = "member.role_set", "made {subject} {after[role]:a}"
    MEMBER_INVITED = "member.invited", "invited {subject} as {after[role]}"
    INVITATION_RENEWED = "member.invitation_renewed", "sent {subject} their invitation again"
    INVITATION_REVOKED = "member.invitation_revoked", "revoked the invitation of {subject}"
    MEMBER_JOINED = "member.joined", "accepted an invitation and joined as {after[role]}"
    MEMBER_DEACTIVATED = "member.deactivated", "deactivated {subject}"
    MEMBER_REACTIVATED = "member.reactivated", "reactivated {subject}"
    MEMBER_REMOVED = "member.removed", "removed {subject} from the lab"
    MEMBER_LEFT = "member.left", "left the lab"
    ROLE_CHANGED = "role.changed", "changed what the role {subject} may do or asks for"
    TOKEN_MADE = "token.made", "made the API token {subject}"
    TOKEN_REVOKED = "token.revoked", "revoked the API token {subject}"
    TOKEN_ENDED = "token.ended", "set a new password, and so ended the API token {subject}"

    # Which models answer
    MODEL_PUBLISHED = "model.published", "published {subject}"
    MODEL_ROLLED_BACK = "model.rolled_back", "withdrew {subject}"

    # The keys that encrypt patient identifiers
    KEYS_ROTATED = "keys.rotated", "sealed {after[rows]} rows anew with data key {subject}"

    # Accounts and sessions: in the installation's chain
    SIGNED_UP = "account.signed_up", "made themselves an account"
    SIGNED_IN = "account.signed_in", "signed in"
    SIGNED_OUT = "account.signed_out", "signed out"
    PASSWORD_CHANGED = "account.password_changed", "changed their password"
    PASSWORD_RESET = "account.password_reset", "set a new password with a mailed code"
    EMAIL_CHANGED = "account.email_changed", "changed their e-mail address to {after[email]}"
    NAME_CHANGED = "account.name_changed", "changed their name to {after[name]}"
    FACTOR_ADDED = "account.factor_added", "set up a second factor ({after[factor]})"
    FACTOR_REMOVED = "account.factor_removed", "removed a second factor of {subject} ({before[factor]})"
    RECOVERY_CODE_USED = "account.recovery_code_used", "used a recovery code ({after[left]} left)"
    SERVICE_CONNECTED = "account.service_connected", "connected {after[service]} to sign in with"
    SERVICE_DISCONNECTED = "account.service_disconnected", "disconnected {before[service]}"
    SESSIONS_ENDED = "account.sessions_ended", "ended sessions of {subject} ({after[sessions]})"
    ACCOUNT_CHANGED = "account.changed", "changed the account of {subject}"

    BACKUP_MADE = "backup.made", "made the backup {subject} with {after[objects]} objects"
    BACKUP_RESTORED = "backup.restored", "restored the backup {subject} with {after[objects]} objects"

    # What was denied, and who could not sign in: recorded by `folding.record_denial`
    ACCESS_DENIED = "access.denied", "was denied {subject}"
    ACCESS_DENIED_AGAIN = (
        "access.denied_again",
        "was denied {subject}, {after[times]} times within a minute",
    )
    SIGN_IN_FAILED = "sign_in.failed", "failed to sign in as {subject}"
    SIGN_IN_FAILED_AGAIN = (
        "sign_in.failed_again",
        "failed to sign in as {subject}, {after[times]} times within a minute",
    )

    # The trail itself
    AUDIT_ANCHORED = "audit.anchored", "anchored the audit trail outside the database"
    AUDIT_VERIFIED = "audit.verified", "found the audit trail whole ({after[entries]} entries)"
    AUDIT_BROKEN = "audit.broken", "found the audit trail tampered with ({after[findings]} findings)"
    AUDIT_EXPORTED = "audit.exported", "exported the audit trail ({after[format]})"

    @property
    def area(self) -> str:
        return self.value.partition(".")[0]

    @property
    def verb(self) -> str:
        return self.value.partition(".")[2].replace("_", " ")
