"""The Celery workers and the outbox relay. Importing any of it sets Django up."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.config.settings")
django.setup()
