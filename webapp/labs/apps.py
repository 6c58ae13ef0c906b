from importlib import import_module

from django.apps import AppConfig


class LabsConfig(AppConfig):
    name = "webapp.labs"

    def ready(self) -> None:
        import_module("webapp.labs.tokens")  # listens to what accounts tell
