"""Django's settings, read anew."""

import sys
from importlib import import_module
from typing import Any
from unittest.mock import patch

import webapp.config

PACKAGE = "webapp.config.settings"


def read_settings() -> dict[str, Any]:
    """What the settings come to in the environment as it is now; those in use stay as they are."""
    with patch.dict(sys.modules), patch.object(webapp.config, "settings", create=True):
        for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
        return vars(import_module(PACKAGE))
