"""The audit trail as a Django application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from webapp.audit.privileges import grant


class AuditConfig(AppConfig):
    name = "webapp.audit"

    def ready(self) -> None:
        post_migrate.connect(grant, sender=self)
