from django.http import HttpRequest

from webapp.labs.models import Lab, Membership


class LabRequest(HttpRequest):
    """A request as `LabScopeMiddleware` leaves it."""

    by_token: bool
    membership: Membership | None
    memberships: list[Membership]  # to choose from; empty but where a person has signed in to a session
    kept_out: Membership | None  # what a second factor of sign-in, which the person has not, would open
    lost_lab: Lab | None  # worked in before, of which the person is no member any more, of others though
    lab_worked_in: Lab | None  # that pages are of, and that what they send must name: `webapp.labs.conflicts`
