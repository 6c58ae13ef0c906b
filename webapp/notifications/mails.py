"""The messages that notifications send: counts and kinds, never of whom. Their texts: `templates/`."""

from django.core.mail import send_mail
from django.template.loader import render_to_string

from webapp.labs.locales import locale_of
from webapp.notifications.models import Kind, Notification

_SUBJECTS: dict[Kind, str] = {
    Kind.UPLOAD_FINISHED: "The images of a case are classified",
    Kind.FILES_UNUSABLE: "Files of a case could not be used",
    Kind.JOB_ENDED: "An export has ended",
}


def send(notification: Notification) -> None:
    membership = notification.recipient
    context = {"notification": notification, "facts": notification.facts, "lab": membership.lab}
    with locale_of(membership.lab):
        text = render_to_string(f"notifications/mails/{notification.kind}.txt", context)
        subject = f"HematoVision: {_SUBJECTS[Kind(notification.kind)]}"
    send_mail(subject, text, None, [membership.user.email])
