"""Log lines: JSON on the standard error output."""

import structlog

from webapp.config.settings.reading import env
from webapp.config.settings.telemetry import TRACES_ENDPOINT
from webapp.telemetry import tracing

# --- logs ---------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")  # `DEBUG`, `INFO`, `WARNING` or `ERROR`
_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    *([tracing.name_trace] if TRACES_ENDPOINT else []),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "filters": {
        "rate_limited": {"()": "webapp.telemetry.tracing.RateLimitFilter"},
        "redact_secrets": {"()": "webapp.telemetry.redaction.RedactSecrets"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact_secrets"]},
        "rate_limited": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["rate_limited"]},
    },
    "loggers": {"opentelemetry": {"handlers": ["rate_limited"], "propagate": False}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
