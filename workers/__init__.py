"""The Celery workers and the outbox relay. Importing any of it sets Django up."""

from webapp.config.environment import set_up

set_up()
