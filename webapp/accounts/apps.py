from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "webapp.accounts"

    def ready(self) -> None:
        import_module("webapp.accounts.trail")  # listens to what allauth and Django tell
