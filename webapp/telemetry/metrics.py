"""Metrics for Prometheus. Labels are names and ids of our own, never anything that people entered.

Each program keeps its metrics in files that its processes share (prometheus_client's multiprocess mode), and
`exposition` serves them on a port of their own.
"""

from prometheus_client import Counter, Histogram

_FROM_ARRIVAL = (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 10, 30, 60, 300, 1800, 7200)

http_request_seconds = Histogram(
    "hematovision_http_request_seconds",
    "Until the answer begins, by route and class of status.",
    ["route", "method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
task_seconds = Histogram(
    "hematovision_task_seconds",
    "A task's work, by how it ended: done, failed or retry.",
    ["task", "outcome"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 45),
)
cases_unsettled = Counter(
    "hematovision_cases_unsettled",
    "Cases found at night whose stored state disagrees with their images; each again every night.",
)
results_altered = Counter(
    "hematovision_results_altered",
    "What was found at night to be altered of signed results; each again every night.",
)
relay_sent = Counter("hematovision_relay_sent", "Tasks handed to the broker.", ["queue"])
events_failed = Counter("hematovision_events_failed", "Attempts of consumers that failed.", ["consumer"])
mail_sent = Counter("hematovision_mail_sent", "Messages handed to the mail server.")
mail_dropped = Counter(
    "hematovision_mail_dropped", "Messages dropped: rejected by the mail server, or retried for too long."
)
image_seconds = Histogram(
    "hematovision_image_seconds",
    "An image's way from its arrival to its class.",
    ["queue"],
    buckets=_FROM_ARRIVAL,
)
model_seconds = Histogram(
    "hematovision_model_seconds",
    "One Predict call, network included.",
    ["model"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
model_images = Histogram(
    "hematovision_model_images",
    "Images in one Predict call.",
    ["model"],
    buckets=(1, 2, 4, 8, 16, 32, 48, 64),
)
model_failures = Counter(
    "hematovision_model_failures", "Predict calls that gave no answer.", ["model", "reason"]
)
decoders_ended = Counter(
    "hematovision_decoders_ended",
    "Decoder processes that ended over a picture: its time, its memory, or a crash.",
    ["why"],
)
confidence = Histogram(
    "hematovision_confidence",
    "The highest probability that a version gave a cell.",
    ["model", "version"],
    buckets=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999),
)
cells = Counter(
    "hematovision_cells",
    "Cells by lab (its id) and version, and whether it left them Unidentified.",
    ["lab", "model", "version", "flagged"],
)
