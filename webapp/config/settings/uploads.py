"""Sizes of what is uploaded."""

from webapp.config.settings.reading import env

# --- uploads ------------------------------------------------------------------------------------------------
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", 20 * 1024 * 1024)  # of one file
UPLOAD_REQUEST_MAX_BYTES = env.int("UPLOAD_REQUEST_MAX_BYTES", 100 * 1024 * 1024)  # of one API request
UPLOAD_MAX_PIXELS = env.int("UPLOAD_MAX_PIXELS", 25_000_000)  # of one picture
DATA_UPLOAD_MAX_NUMBER_FILES = 100
FILE_UPLOAD_HANDLERS = ["webapp.uploads.handlers.NoFiles"]  # but for the one API view that takes images
