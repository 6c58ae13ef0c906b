"""The object store."""

from webapp.config import tls
from webapp.config.settings.reading import env

# --- object store -------------------------------------------------------------------------------------------
S3_ENDPOINT = env.str("S3_ENDPOINT")  # the object store, as the product sees it
S3_PUBLIC_ENDPOINT = env.str("S3_PUBLIC_ENDPOINT", S3_ENDPOINT)  # as browsers and the command line see it
S3_ACCESS_KEY = env.str("S3_ACCESS_KEY")  # of a key that may read and write both buckets
S3_SECRET_KEY = env.str("S3_SECRET_KEY")  # the other half of that key
S3_BUCKET = env.str("S3_BUCKET", "hematovision")  # images
S3_LOCKED_BUCKET = env.str("S3_LOCKED_BUCKET", f"{S3_BUCKET}-locked")  # anchors of the audit trail, locked
S3_REGION = env.str("S3_REGION", "us-east-1")  # as the store names it
S3_TLS = tls.TlsFiles(
    "S3",
    ca=env.path("S3_CA", None),  # CA of an https:// endpoint; without it, those everybody knows
    certificate=env.path("S3_CERTIFICATE", None),  # ours, for a store that asks for one
    key=env.path("S3_KEY", None),  # its private key
)
WEB_ORIGINS = env.list("WEB_ORIGINS", ["http://localhost:8000", "http://127.0.0.1:8000"])  # may post to S3
