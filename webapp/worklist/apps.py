from importlib import import_module

from django.apps import AppConfig


class WorklistConfig(AppConfig):
    name = "webapp.worklist"

    def ready(self) -> None:
        import_module("webapp.worklist.assigning")  # listens to what labs tell of their members
