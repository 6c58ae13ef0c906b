"""Messages to people."""

from urllib.parse import unquote

from webapp.config.settings.reading import env

# --- e-mail -------------------------------------------------------------------------------------------------
# Such as submission://user:password@host (STARTTLS), smtp://user:password@host:465?ssl=True, file:////a/folder
_MAIL = env.dj_email_url("EMAIL_URL", "smtp://localhost:25")  # takes our messages; `submission://` with TLS
EMAIL_BACKEND = "webapp.mail.backend.OutboxBackend"  # messages wait in the database for the relay
MAIL_TRANSPORT = _MAIL["EMAIL_BACKEND"]  # by which it hands them over
EMAIL_FILE_PATH = unquote(_MAIL["EMAIL_FILE_PATH"])
EMAIL_HOST = _MAIL["EMAIL_HOST"]
EMAIL_PORT = _MAIL["EMAIL_PORT"]
EMAIL_HOST_USER = _MAIL["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _MAIL["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _MAIL["EMAIL_USE_SSL"]
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "HematoVision <hematovision@localhost>")  # who they are from
