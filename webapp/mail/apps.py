from importlib import import_module

from django.apps import AppConfig

from webapp.crypto import tables


class MailConfig(AppConfig):
    name = "webapp.mail"

    def ready(self) -> None:
        tables.register(import_module("webapp.mail.sealing").MessageTable())
