"""Somebody who runs the installation, signed in with a second factor."""

# For `python -m webapp shell`: prints name and value of their session's cookie.
SIGN_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from allauth.mfa.models import Authenticator
from webapp.accounts.models import User
user = User.objects.create_superuser("operator@lab.example", name="Operator")
Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session.save()
print(settings.SESSION_COOKIE_NAME, session.session_key)
"""
