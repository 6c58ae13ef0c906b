"""The messages about accounts. Allauth sends them; what they say stands in `templates/account/email/`."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter

from webapp.accounts.wording import PRODUCT, house_style
from webapp.mail import services as mail


class AccountMails(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """The part of the account adapter that writes to people."""

    def format_email_subject(self, subject: str) -> str:
        return f"{PRODUCT}: {house_style(str(subject))}"

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
