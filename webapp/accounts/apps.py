from importlib import import_module

from django.apps import AppConfig

from webapp.crypto import tables


class AccountsConfig(AppConfig):
    name = "webapp.accounts"

    def ready(self) -> None:
        import_module("webapp.accounts.trail")  # listens to what allauth and Django tell
        tables.register(import_module("webapp.accounts.factors").FactorTable())
