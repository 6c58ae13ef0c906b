"""Keys of data."""

import os
from pathlib import Path

from webapp.config.environment import data_keys
from webapp.config.settings.reading import env

# --- encryption ---------------------------------------------------------------------------------------------
# `id:base64-of-32-bytes`, separated by commas, the current key first; from a file they are read again when it
# changes.
DATA_KEYS = data_keys(env.str("DATA_KEYS"))  # encrypt identifiers and second factors, the current one first
DATA_KEYS_FILE = Path(path) if (path := os.environ.get("HEMATOVISION_DATA_KEYS_FILE")) else None
