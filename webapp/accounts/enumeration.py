"""Against account enumeration: no response's time tells who has an account (OWASP ASVS 5.0, 6.3.8).

A request with an e-mail address takes the same time whether or not it has an account. Each accepted request
enqueues one message; where there is nobody to write to, it is a message to nobody.
"""

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponseBase

MAILS = {
    "account_confirm_login_code",  # sends the code again where that is asked for
    "account_email_verification_sent",  # so does this
    "account_request_login_code",
    "account_reset_password",
    "account_signup",
}


class EnumerationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        asked = request.resolver_match.url_name if request.resolver_match else None
        if request.method == "POST" and asked in MAILS and _accepted(response):
            adapter = get_adapter(request)
            if not adapter.has_mailed:
                adapter.mail_nobody()
        return response


def _accepted(response: HttpResponseBase) -> bool:
    """Scripts are answered in JSON where browsers are sent on to the next page."""
    json = response.headers.get("Content-Type", "").startswith("application/json")
    return response.status_code == 302 or (json and response.status_code == 200)
