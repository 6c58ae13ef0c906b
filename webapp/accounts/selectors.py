from allauth.mfa.models import Authenticator

from webapp.accounts.models import User

# Recovery codes alone are no second factor: they stand in for a lost one.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(user: User) -> bool:
    """Whether signing in asks this person for more than a password: an app's code or a security key."""
    return bool(Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists())
