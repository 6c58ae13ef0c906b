"""Accounts and signing in, by django-allauth."""

from environs import validate

from webapp.config.settings.http import HTTPS
from webapp.config.settings.reading import env

# --- sign-in ------------------------------------------------------------------------------------------------
SESSION_ENGINE = "webapp.accounts.session_store"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # workstations are shared
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "webapp.accounts.hashers.Argon2id",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of accounts from before; changed when they sign in
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "ui:home"
LOGOUT_REDIRECT_URL = "account_login"
_open_or_invited = validate.OneOf(["open", "invited"])
SIGN_UP = env.str(
    "SIGN_UP", "invited", validate=_open_or_invited
)  # who may make an account: `open` is everybody
ACCOUNT_ADAPTER = "webapp.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "webapp.accounts.forms.SignUpForm",
    "request_login_code": "webapp.accounts.forms.CodeForm",
    "reset_password": "webapp.accounts.forms.ForgottenPasswordForm",
    "reset_password_from_key": "webapp.accounts.forms.PasswordByCodeForm",
    "change_password": "webapp.accounts.forms.NewPasswordForm",
}
ACCOUNT_SIGNUP_FORM_CLASS = (
    "webapp.accounts.name_form.NameForm"  # apart from forms.py, which imports what reads this
)
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a person hears of every change to the account
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = SIGN_UP == "open"  # else no message goes to strangers
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
MFA_ADAPTER = "webapp.accounts.adapters.MFAAdapter"
MFA_FORMS = {"add_webauthn": "webapp.accounts.forms.SecurityKeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "HematoVision"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # http://localhost; browsers allow no other
USERSESSIONS_ADAPTER = "webapp.accounts.adapters.UserSessionsAdapter"
