from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet

from webapp.accounts.models import User

# Recovery codes alone are no second factor: they stand in for a lost one.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(user: User) -> bool:
    """Whether signing in asks this person for more than a password: an app's code or a security key."""
    return bool(Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists())


def sessions_elsewhere(user: User, session_key: str | None) -> "QuerySet[UserSession]":
    """The person's sessions but for the one with `session_key`, which they ask in."""
    mine = UserSession.objects.filter(user=user)
    others: QuerySet[UserSession] = mine.exclude(session_key=session_key)
    return others
