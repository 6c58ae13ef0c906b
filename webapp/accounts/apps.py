from importlib import import_module

from django.apps import AppConfig

from webapp.crypto import tables


class AccountsConfig(AppConfig):
    name = "webapp.accounts"

    def ready(self) -> None:
        for listener in ("device_cookies", "sessions", "trail"):  # to what allauth and Django tell
            import_module(f"webapp.accounts.{listener}")
        tables.register(import_module("webapp.accounts.factors").FactorTable())
