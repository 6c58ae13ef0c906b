"""Every retry, back-off, lease, timeout, deadline, pause, rate limit and quota of the web and the workers.

By who obeys them, with the unit in the name; what an operator may move is read from the environment.

Limits that stand elsewhere: what a picture may cost (`serving/decoder/limits.py`), the embedded model
server's (`serving/embedded/limits.py`), the command line's (`infra/client.py`), at what time of the night
Celery's tasks run (`workers/celery.py`), Caddy's (`infra/caddy/shared.caddy`), those of probes and of ending
pods (`k8s/`), and the sizes of uploads (`uploads.py`, beside this file).
"""

from itertools import pairwise

from django.core.exceptions import ImproperlyConfigured
from environs import validate

from webapp.config.settings.reading import env

_positive = validate.Range(min=0, min_inclusive=False, error="must be greater than 0.")

# --- retries and leases of work -----------------------------------------------------------------------------
# A worker that is killed says nothing: its chunk is free again once the lease is over.
CHUNK_LEASE_SECONDS = env.int(
    "CHUNK_LEASE_SECONDS", 60, validate=_positive
)  # for which a worker may keep images that it took; then others take them
# Then a chunk of several images is halved, and a single image becomes a dead letter.
CHUNK_MAX_ATTEMPTS = env.int(
    "CHUNK_MAX_ATTEMPTS", 3, validate=_positive
)  # tries of the same images, retries included, before they are parted or given up
# Doubled with each further retry up to the longest; random by half, so that what failed together comes apart.
CHUNK_RETRY_FIRST_SECONDS = env.float(
    "CHUNK_RETRY_FIRST_SECONDS", 2, validate=_positive
)  # to wait before the first retry of images
CHUNK_RETRY_LONGEST_SECONDS = env.float(
    "CHUNK_RETRY_LONGEST_SECONDS", 60, validate=_positive
)  # the longest wait between two retries of images, while the model server or the store is away
CHUNK_RECOVERY_INTERVAL_SECONDS = env.int(
    "CHUNK_RECOVERY_INTERVAL_SECONDS", 10, validate=_positive
)  # how often lost images are looked for, whose worker or message is gone
UPLOAD_ABANDONED_SECONDS = env.int(
    "UPLOAD_ABANDONED_SECONDS", 2 * 3600, validate=_positive
)  # after which an upload that its client forgot is handed over
UPLOAD_ABANDONED_INTERVAL_SECONDS = env.int(
    "UPLOAD_ABANDONED_INTERVAL_SECONDS", 600, validate=_positive
)  # how often such uploads are looked for

# --- tasks and their broker ---------------------------------------------------------------------------------
# Below the hard limit, so that a task can say on its chunk what took too long.
TASK_SOFT_TIME_LIMIT_SECONDS = env.int(
    "TASK_SOFT_TIME_LIMIT_SECONDS", 45, validate=_positive
)  # after which a task is told to end
TASK_TIME_LIMIT_SECONDS = env.int(
    "TASK_TIME_LIMIT_SECONDS", 55, validate=_positive
)  # after which the process that works on a task is killed
# The nightly ones go over all labs. Still below the visibility timeout: else they would run twice.
NIGHTLY_TASK_SOFT_TIME_LIMIT_SECONDS = 260
NIGHTLY_TASK_TIME_LIMIT_SECONDS = 270
# A message that no worker acknowledged is handed out again after it: longer than any task and any lease.
BROKER_VISIBILITY_TIMEOUT_SECONDS = env.int(
    "BROKER_VISIBILITY_TIMEOUT_SECONDS", 300, validate=_positive
)  # after which the broker hands out again what no worker acknowledged
# Celery does nothing else in that time, not even stop the clocks of tasks that are done.
WORKER_SOFT_SHUTDOWN_SECONDS = env.int(
    "WORKER_SOFT_SHUTDOWN_SECONDS", 30, validate=_positive
)  # that a worker has, where it is asked to end by a soft shutdown
BROKER_CONNECT_TIMEOUT_SECONDS = 3  # a broker without TLS never answers a handshake
BROKER_HEALTH_CHECK_SECONDS = 10  # a connection that is idle for longer is tried before it is used
# Of what the timers begin: what has waited for longer is done by the next.
RECOVERY_EXPIRES_SECONDS = 60
NIGHTLY_TASK_EXPIRES_SECONDS = 3600
# The store is away for a while now and then; a night is long.
ANCHOR_RETRIES, ANCHOR_RETRY_FIRST_SECONDS, ANCHOR_RETRY_LONGEST_SECONDS = 20, 60, 240
OUTBOX_SENT_KEPT_SECONDS = 3600  # by entries that were sent, labs take turns and lost chunks are told apart
OUTBOX_FORGET_INTERVAL_SECONDS = 600
EXPIRED_SHOWN_DAYS = 30  # for so long expired invitations and tokens are listed as such

# --- the relay ----------------------------------------------------------------------------------------------
RELAY_QUEUE_DEPTH = 8  # tasks that wait in the broker, per queue: the fewer, the fairer the turns of labs
RELAY_FULL_PAUSE_SECONDS = env.float(
    "RELAY_FULL_PAUSE_SECONDS", 0.05, validate=_positive
)  # until the relay looks at a full queue again
# Entries whose wait is over wake nobody.
RELAY_IDLE_PAUSE_SECONDS = env.float(
    "RELAY_IDLE_PAUSE_SECONDS", 1.0, validate=_positive
)  # until the relay looks for delayed tasks and messages that fell due
RELAY_RETRY_SECONDS = env.float(
    "RELAY_RETRY_SECONDS", 1.0, validate=_positive
)  # until the relay tries again, while database or broker is away
RELAY_BROKER_TIMEOUT_SECONDS = 5  # for an answer of the broker
RELAY_LAST_MESSAGE_SECONDS = 10.0  # for a message that is being handed over when the relay stops

# --- relations ----------------------------------------------------------------------------------------------
# Each is shorter than the next. A lease that ends before its task is killed gives the same images to two.
_RISING = [
    ("WORKER_SOFT_SHUTDOWN_SECONDS", WORKER_SOFT_SHUTDOWN_SECONDS),
    ("TASK_SOFT_TIME_LIMIT_SECONDS", TASK_SOFT_TIME_LIMIT_SECONDS),
    ("TASK_TIME_LIMIT_SECONDS", TASK_TIME_LIMIT_SECONDS),
    ("CHUNK_LEASE_SECONDS", CHUNK_LEASE_SECONDS),
    ("BROKER_VISIBILITY_TIMEOUT_SECONDS", BROKER_VISIBILITY_TIMEOUT_SECONDS),
]
for (_shorter, _seconds), (_longer, _more) in pairwise(_RISING):
    if _seconds >= _more:
        raise ImproperlyConfigured(
            f"HEMATOVISION_{_longer} ({_more}) must be longer than HEMATOVISION_{_shorter} ({_seconds})."
        )
if BROKER_VISIBILITY_TIMEOUT_SECONDS <= NIGHTLY_TASK_TIME_LIMIT_SECONDS:
    raise ImproperlyConfigured(
        "HEMATOVISION_BROKER_VISIBILITY_TIMEOUT_SECONDS must be longer than a nightly task may run "
        f"({NIGHTLY_TASK_TIME_LIMIT_SECONDS} seconds)."
    )
if CHUNK_RETRY_LONGEST_SECONDS < CHUNK_RETRY_FIRST_SECONDS:
    raise ImproperlyConfigured(
        "HEMATOVISION_CHUNK_RETRY_LONGEST_SECONDS must not be below HEMATOVISION_CHUNK_RETRY_FIRST_SECONDS."
    )
