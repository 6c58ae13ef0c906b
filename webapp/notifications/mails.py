"""The messages that notifications send: counts and kinds, never of whom. Their texts: `templates/`."""

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from webapp.labs.locales import locale_of
from webapp.notifications import wording
from webapp.notifications.models import Kind, Notification

_SUBJECTS = {
    Kind.UPLOAD_FINISHED: _("HematoVision: The images of a case are classified"),
    Kind.FILES_UNUSABLE: _("HematoVision: Files of a case could not be used"),
    Kind.SECOND_READER: _("HematoVision: A case is to be read a second time"),
    Kind.READINGS_COMPARED: _("HematoVision: Both readings of a case are finished"),
    Kind.CALL_OVERDUE: _("HematoVision: A call about a critical result is overdue"),
    Kind.JOB_ENDED: _("HematoVision: An export has ended"),
    Kind.CASE_ASSIGNED: _("HematoVision: A case is assigned to you"),
    Kind.CASES_OVERDUE: _("HematoVision: Cases are overdue"),
    Kind.CASES_RELEASED: _("HematoVision: Cases are nobody's any more"),
}


def send(notification: Notification) -> None:
    membership = notification.recipient
    facts = notification.facts
    with locale_of(membership.lab):
        context = {
            "lab": membership.lab,
            "done": facts.get("done"),
            "job": notification.job,
            "classified": wording.counts(facts, ("classified", *wording.UNUSABLE)),
            "unusable": wording.counts(facts, wording.UNUSABLE),
            "cases": wording.cases(facts.get("cases", 0)),
            "released": wording.cases(facts.get("released", 0)),
            "mine": facts.get("mine"),
        }
        text = render_to_string(f"notifications/mails/{notification.kind}.txt", context)
        subject = str(_SUBJECTS[Kind(notification.kind)])
    send_mail(subject, text, None, [membership.user.email])
