"""The model server, and the folder of its models."""

from environs import validate

from serving.channel import ChannelTls
from webapp.config import tls
from webapp.config.settings.reading import WEBAPP, env

# --- model server -------------------------------------------------------------------------------------------
SERVING_TARGET = env.str("SERVING_TARGET")  # host and port of the model server
SERVING_TLS = tls.TlsFiles(
    "SERVING",
    ca=env.path("SERVING_CA", None),  # CA of the model server; given, TLS is spoken with it
    certificate=env.path("SERVING_CERTIFICATE", None),  # ours, for a model server that asks for one
    key=env.path("SERVING_KEY", None),  # its private key
)
SERVING_NAME = env.str("SERVING_NAME", None)  # name in the model server's certificate, if not its host's
SERVING_CHANNEL = (
    ChannelTls(SERVING_TLS.ca, SERVING_TLS.certificate, SERVING_TLS.key, SERVING_NAME)
    if SERVING_TLS.ca
    else None
)
MODELS = env.path("MODELS", WEBAPP.parent / "var" / "models")  # the folder that the model server reads
MODEL_KEY = env.str(
    "MODEL_KEY", "", validate=validate.Regexp(r"([0-9a-f]{64})?", error="is 32 bytes in hexadecimal.")
)  # signs what is published; needed by `hematovision model` and the set-up alone
MODELS_MOUNT = env.str("MODELS_MOUNT", "/models")  # where tensorflow/serving sees that folder
