"""The messages about accounts. Allauth sends them; what they say stands in `templates/account/email/`."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.mail import EmailMessage

from webapp.accounts.wording import PRODUCT, house_style, minutes
from webapp.mail import services as mail


class AccountMails(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """The part of the account adapter that writes to people."""

    def format_email_subject(self, subject: str) -> str:
        return f"{PRODUCT}: {house_style(str(subject))}"

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        context = {
            **context,
            "sign_in_code_minutes": minutes(settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT),
            "reset_code_minutes": minutes(settings.ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT),
        }
        message: EmailMessage = super().render_mail(template_prefix, email, context, headers)
        return message

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        super().send_mail(template_prefix, email, context)
        self.request.has_mailed = True

    @property
    def has_mailed(self) -> bool:
        """Whether this request has written to somebody."""
        return getattr(self.request, "has_mailed", False)

    def mail_nobody(self) -> None:
        """Do what a message costs, though there is nobody to write to."""
        message = self.render_mail("account/email/nobody", "", {"request": self.request, "code": "000000"})
        message.to = []
        mail.enqueue(message)
