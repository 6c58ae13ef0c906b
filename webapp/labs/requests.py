from django.http import HttpRequest

from webapp.labs.models import Lab, Membership


class LabRequest(HttpRequest):
    """A request as `LabScopeMiddleware` leaves it."""

    by_token: bool
    membership: Membership | None
    memberships: list[Membership]  # to choose from; empty but where a person has signed in to a session
    without_factor: Membership | None  # one that a second factor, which the person lacks, would open
    lost_lab: Lab | None  # worked in before, of which the person is no member any more, of others though
    lab_worked_in: Lab | None  # that pages are of, and that what they send must name: `webapp.labs.conflicts`
