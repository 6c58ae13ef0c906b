"""The messages that labs send. What they say stands in `templates/labs/mails/`."""

from collections.abc import Sequence

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.labs.models import ApiToken, Invitation
from webapp.labs.permissions import Role


def send_invitation(invitation: Invitation, link: str) -> None:
    role = Role(invitation.role).in_sentence
    context = {"invitation": invitation, "role": role, "link": link}
    text = render_to_string("labs/mails/invitation.txt", context)
    subject = _("Join %(lab)s on HematoVision") % {"lab": invitation.lab}
    send_mail(subject, text, None, [invitation.email])


def send_tokens_ended(user: User, tokens: Sequence[ApiToken]) -> None:
    """Tell somebody with a new password which API tokens ended with the old one."""
    text = render_to_string("labs/mails/tokens_ended.txt", {"user": user, "tokens": tokens})
    send_mail(_("HematoVision: Your API tokens have ended"), text, None, [user.email])
