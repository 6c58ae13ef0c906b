"""What programs tell of themselves: traces, heartbeats, metrics."""

from environs import validate

from webapp.config import tls
from webapp.config.settings.reading import env
from webapp.telemetry import tracing
from webapp.telemetry.exposition import share_metrics

# --- traces -------------------------------------------------------------------------------------------------
_http = validate.Regexp(r"https?://[^/\s]+/?$", error="is written https://host:port.")
TRACES_ENDPOINT = env.str("TRACES_ENDPOINT", "", validate=_http)  # a collector of OTLP/HTTP; empty: none
TRACES_RATIO = env.float("TRACES_RATIO", 1.0, validate=validate.Range(0, 1))  # of requests that are traced
TRACES_TLS = tls.TlsFiles(
    "TRACES",
    ca=env.path("TRACES_CA", None),  # CA of an https:// collector; without it, those everybody knows
    certificate=env.path("TRACES_CERTIFICATE", None),  # ours, for a collector that asks for one
    key=env.path("TRACES_KEY", None),  # its private key
)
if TRACES_ENDPOINT:
    tracing.check_installed()

# --- probes -------------------------------------------------------------------------------------------------
HEARTBEAT = env.path("HEARTBEAT", None)  # file that a worker or the relay touches while it is well

# --- metrics for Prometheus ---------------------------------------------------------------------------------
METRICS_LISTEN = env.str(
    "METRICS_LISTEN", "", validate=validate.Regexp(r".+:[0-9]{1,5}", error="is written host:port.")
)  # host:port on which a program tells its metrics; empty: nowhere. Not for the world
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # what Prometheus must show (Bearer); empty: nothing
if METRICS_LISTEN:
    share_metrics()
WATCHED_CERTIFICATES: list[str] = env.list("WATCHED_CERTIFICATES", [])  # PEM files, or host:port
