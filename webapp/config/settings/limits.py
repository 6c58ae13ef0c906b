"""Every retry, back-off, lease, timeout, deadline, pause, rate limit and quota of the web and the workers.

By who obeys them, with the unit in the name; what an operator may move is read from the environment.

Limits that stand elsewhere: what a picture may cost (`serving/decoder/limits.py`), the embedded model
server's (`serving/embedded/limits.py`), the command line's (`infra/client/limits.py`), the local stack's
(`infra/local/limits.py`), at what time of the night Celery's tasks run (`workers/celery.py`), Caddy's
(`infra/caddy/shared.caddy`), those of probes and of ending pods (`k8s/`), gunicorn's for connections
that idle or end (`webapp/config/gunicorn.py`), gRPC's for connecting again (`serving/channel.py`), those of
the browser that uploads (`webapp/ui/static/ui/upload/limits.js`), and the sizes of uploads (`uploads.py`,
beside this file).
"""

from itertools import pairwise

from django.core.exceptions import ImproperlyConfigured
from environs import validate

from webapp.config.settings.reading import env

_positive = validate.Range(min=0, min_inclusive=False, error="must be greater than 0.")

# --- limits: retries and leases of work ---------------------------------------------------------------------
# A worker that is killed says nothing: its chunk is free again once the lease is over.
CHUNK_LEASE_SECONDS = env.int(
    "CHUNK_LEASE_SECONDS", 60, validate=_positive
)  # the lease of a chunk: after it another worker may claim its images
# After the last attempt a chunk of several images is halved, and a single image becomes a dead letter.
CHUNK_MAX_ATTEMPTS = env.int(
    "CHUNK_MAX_ATTEMPTS", 3, validate=_positive
)  # attempts with the same images, retries included, before the chunk is halved or a dead letter
# The back-off doubles with each retry up to the longest; jitter of a half parts what failed together.
CHUNK_RETRY_FIRST_SECONDS = env.float(
    "CHUNK_RETRY_FIRST_SECONDS", 2, validate=_positive
)  # to wait before the first retry of images
CHUNK_RETRY_LONGEST_SECONDS = env.float(
    "CHUNK_RETRY_LONGEST_SECONDS", 60, validate=_positive
)  # the longest back-off between two retries of images, while the model server or the store is away
CHUNK_RECOVERY_INTERVAL_SECONDS = env.int(
    "CHUNK_RECOVERY_INTERVAL_SECONDS", 10, validate=_positive
)  # how often lost chunks are looked for, whose worker or message is gone
UPLOAD_ABANDONED_SECONDS = env.int(
    "UPLOAD_ABANDONED_SECONDS", 2 * 3600, validate=_positive
)  # after which an upload that its client abandoned is completed
UPLOAD_ABANDONED_INTERVAL_SECONDS = env.int(
    "UPLOAD_ABANDONED_INTERVAL_SECONDS", 600, validate=_positive
)  # how often such uploads are looked for

# --- limits: events and their consumers ---------------------------------------------------------------------
# A consumer that fails for hours is retried for as long; then its event becomes a dead letter.
EVENT_MAX_ATTEMPTS = env.int(
    "EVENT_MAX_ATTEMPTS", 20, validate=_positive
)  # attempts to tell a consumer of an event, before that is a dead letter: three hours with the pauses below
EVENT_RETRY_FIRST_SECONDS = env.float(
    "EVENT_RETRY_FIRST_SECONDS", 5, validate=_positive
)  # to wait before the first retry of a consumer; doubled with each further one
EVENT_RETRY_LONGEST_SECONDS = env.float(
    "EVENT_RETRY_LONGEST_SECONDS", 15 * 60, validate=_positive
)  # the longest back-off between two retries of a consumer
EVENT_SOFT_TIME_LIMIT_SECONDS, EVENT_TIME_LIMIT_SECONDS = 15, 20  # of one consumer with one event
EVENT_LOST_SECONDS = 120  # after which one whose worker or message is gone is told again
EVENT_RECOVERY_INTERVAL_SECONDS = 60

# --- limits: jobs -------------------------------------------------------------------------------------------
JOB_PIECE_BYTES = 2 * 1024 * 1024  # of a result: an object in the store, and about a second of work
JOB_MAX_ATTEMPTS = env.int(
    "JOB_MAX_ATTEMPTS", 8, validate=_positive
)  # attempts with one piece of a job, before the job has failed
JOB_RETRY_FIRST_SECONDS, JOB_RETRY_LONGEST_SECONDS = 2, 120  # doubled with each retry: four minutes in all
JOB_LOST_SECONDS = 120  # after which a job whose worker or message is gone is taken up again
JOB_RECOVERY_INTERVAL_SECONDS = 60
JOB_RESULT_DAYS = env.int("JOB_RESULT_DAYS", 7, validate=_positive)  # for which a job's result can be fetched
JOB_KEPT_DAYS = 90  # for so long jobs that ended are listed
JOBS_OPEN_OF_ONE = 5  # jobs of one person that may wait or run at a time

# --- limits: worklist ---------------------------------------------------------------------------------------
OVERDUE_INTERVAL_SECONDS = 300  # between two looks for cases that became overdue

# --- limits: notifications ----------------------------------------------------------------------------------
NOTIFICATION_MAIL_QUIET_SECONDS = env.int(
    "NOTIFICATION_MAIL_QUIET_SECONDS", 3600, validate=_positive
)  # in which one person gets one message of a kind about one case, however often it happens
NOTIFICATION_KEPT_DAYS = 90
OVERDUE_CALLS_INTERVAL_SECONDS = 60  # how often overdue calls about critical results are looked for

# --- limits: tasks and their broker -------------------------------------------------------------------------
# Below the hard limit, so that a task can say on its chunk what took too long.
TASK_SOFT_TIME_LIMIT_SECONDS = env.int(
    "TASK_SOFT_TIME_LIMIT_SECONDS", 45, validate=_positive
)  # the soft time limit: after it a task is asked to end
TASK_TIME_LIMIT_SECONDS = env.int(
    "TASK_TIME_LIMIT_SECONDS", 55, validate=_positive
)  # the time limit: after it the process that works on a task is killed
# The nightly ones go over all labs. Still below the visibility timeout: else they would run twice.
NIGHTLY_TASK_SOFT_TIME_LIMIT_SECONDS = 260
NIGHTLY_TASK_TIME_LIMIT_SECONDS = 270
# A message that no worker acknowledged is redelivered after it: longer than any task and any lease.
BROKER_VISIBILITY_TIMEOUT_SECONDS = env.int(
    "BROKER_VISIBILITY_TIMEOUT_SECONDS", 300, validate=_positive
)  # the visibility timeout: after it the broker redelivers what no worker acknowledged
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
OUTBOX_CLEANUP_INTERVAL_SECONDS = 600
EXPIRED_SHOWN_DAYS = 30  # for so long expired invitations and tokens are listed as such

# --- limits: the relay --------------------------------------------------------------------------------------
RELAY_QUEUE_DEPTH = 8  # tasks that wait in the broker, per queue: the fewer, the fairer the turns of labs
RELAY_JOBS_DEPTH = 4  # the same, of pieces of jobs
RELAY_FULL_PAUSE_SECONDS = env.float(
    "RELAY_FULL_PAUSE_SECONDS", 0.05, validate=_positive
)  # until the relay looks at a full queue again
# Entries whose wait is over wake nobody.
RELAY_IDLE_PAUSE_SECONDS = env.float(
    "RELAY_IDLE_PAUSE_SECONDS", 1.0, validate=_positive
)  # until the relay looks for deferred tasks and messages that fell due
RELAY_RETRY_SECONDS = env.float(
    "RELAY_RETRY_SECONDS", 1.0, validate=_positive
)  # between two retries of the relay, while database or broker is away
RELAY_BROKER_TIMEOUT_SECONDS = 5  # for an answer of the broker
RELAY_LAST_MESSAGE_SECONDS = 10.0  # for a message that is being handed over when the relay stops

# --- limits: preparing and classifying images ---------------------------------------------------------------
# What is left makes room for others, and comes back as a chunk of its own. With the time that a last picture
# and the model may take, it is below the soft time limit of a task.
CHUNK_TURN_SECONDS = 4.0  # no picture of a chunk is begun later than this
# The server of a lost connection is back in seconds: a worker retries for that long before it defers a chunk.
MODEL_DEADLINE_SECONDS = 20.0  # for one request to the model server, its retries included
MODEL_MAX_ATTEMPTS = 5
MODEL_RETRY_FIRST_SECONDS = 0.25  # the longest pause before the first retry; doubled with each: 3.75 s in all

# --- limits: object store -----------------------------------------------------------------------------------
S3_CONNECT_TIMEOUT_SECONDS = 2
S3_READ_TIMEOUT_SECONDS = 5
S3_MAX_ATTEMPTS = 3
S3_RETRY_FIRST_SECONDS = 0.2  # doubled with each further retry
S3_LINK_SECONDS = 3600  # for so long our own presigned links are good: retries, and clocks that differ
S3_PARTS_RETRY_SECONDS = 60  # after which a store that failed at a part of an object is asked for one again
S3_PROBE_TIMEOUT_SECONDS = 2  # without retries: a person waits for the answer, or a machine that asks again
S3_CORS_KEPT_SECONDS = 3600  # for so long a browser need not ask again whether it may post to the store
UPLOAD_LINK_SECONDS = env.int("UPLOAD_LINK_SECONDS", 3600)  # for which an upload may be begun
# The store cannot tell browsers that a person has signed out: what they keep is old soon.
DOWNLOAD_LINK_SECONDS = 900  # the longest that a link to an image is good for
DOWNLOAD_KEPT_SECONDS = 300  # for so long browsers keep an image, and a link stays the same
AUDIT_ANCHOR_DAYS = env.int("AUDIT_ANCHOR_DAYS", 6 * 365)  # how long the store must keep an anchor

# --- limits: database and cache -----------------------------------------------------------------------------
DATABASE_CONNECT_TIMEOUT_SECONDS = 3  # without it, whoever connects to one that hangs waits for minutes
DATABASE_CONNECTION_KEPT_SECONDS = 600  # making one costs more than a request
CACHE_TIMEOUT_SECONDS = 1  # every sign-in asks it, and goes on without it
KEY_ROTATION_PASSES = 20  # retries of rows that others held in the passes before
KEY_ROTATION_PAUSE_SECONDS = 0.5  # between those

# --- limits: messages to people -----------------------------------------------------------------------------
EMAIL_TIMEOUT = 10  # seconds for a word of the mail server; Django's name
MAIL_RETRY_FIRST_SECONDS = env.int(
    "MAIL_RETRY_FIRST_SECONDS", 5, validate=_positive
)  # to wait before the first retry of a message; doubled with each further one
MAIL_RETRY_LONGEST_SECONDS = env.int(
    "MAIL_RETRY_LONGEST_SECONDS", 15 * 60, validate=_positive
)  # the longest back-off between two retries of a message
# Codes are stale by then, and an invitation can be sent again.
MAIL_RETRY_HOURS = env.int(
    "MAIL_RETRY_HOURS", 24, validate=_positive
)  # for which a deferred message is retried; then it is dropped

# --- limits: requests ---------------------------------------------------------------------------------------
# Half a request must keep no thread ("slow loris").
HTTP_HEAD_SECONDS = env.float(
    "HTTP_HEAD_SECONDS", 10, validate=_positive
)  # for the head of a request, from its first byte or the beginning of its connection
HTTP_BODY_SECONDS = env.float(
    "HTTP_BODY_SECONDS", 30, validate=_positive
)  # for the body of a request; a large one then must keep up a rate
HTTP_BODY_BYTES_PER_SECOND = 4096  # that a large body must keep up beyond
HTTP_SEND_SECONDS = 60.0  # for one piece of an answer
HTTP_LINGER_SECONDS = 2.0  # in which who was answered too early may read the answer
HTTP_LARGE_BODIES_AT_ONCE = 4  # in each process; half of its threads (`webapp/config/gunicorn.py`)
HTTP_LARGE_BODY_RETRY_AFTER_SECONDS = 2  # the `Retry-After` of those who found no room
API_RATE = env.str("API_RATE", "50/s")  # the rate limit of each API token: a number per s, min, hour or day

# --- limits: accounts and signing in ------------------------------------------------------------------------
# Several are allauth's and Django's by name; those are seconds.
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 12) * 3600  # after which a person signs in again
SESSION_BEGUN_SECONDS = 3600  # one that is being begun is listed before it is saved, and not cleared away
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60  # for so long a sign-in is fresh
LOGIN_FAILED_SECONDS = 5 * 60  # in which wrong passwords from one address for one account are counted
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",  # a hospital may share one address
    # The key: address and account, or known browser and account.
    "login_failed": f"60/m/ip,5/{LOGIN_FAILED_SECONDS}s/key",
    "login_failed_unknown_browser": "50/h/key",  # the key: the account, from whatever address
}
DEVICE_COOKIE_DAYS = 180  # for which a browser is known as one that a person signed in with
PROOF_SECONDS = 3 * 60  # in which a fresh sign-in elsewhere must be used for what it was asked for
OIDC_CLOCK_LEEWAY_SECONDS = 60  # by which an identity provider's clock may differ
OIDC_KEYS_TIMEOUT_SECONDS = 5  # for the keys of an identity provider

# --- limits: labs -------------------------------------------------------------------------------------------
INVITATION_DAYS = env.int("INVITATION_DAYS", 7)  # until an invitation to a lab expires
INVITATIONS_A_DAY = env.int("INVITATIONS_A_DAY", 100)  # that a lab may send, those sent again included
INVITATIONS_A_DAY_TO_ONE = env.int("INVITATIONS_A_DAY_TO_ONE", 3)  # that a lab may send to one address
TOKEN_DAYS = env.int("TOKEN_DAYS", 365)  # the longest an API token may live
TOKEN_LAST_USE_SECONDS = 60  # how exactly a token's last use is known: no write at every request

# --- limits: audit trail ------------------------------------------------------------------------------------
# Denials cannot fill the disk, nor hide an entry: beyond these, the 10th, 100th … is recorded.
AUDIT_DENIALS_SECONDS = 60  # in which the following are counted
AUDIT_DENIALS_OF_ONE = 20  # of one person or one address
AUDIT_DENIALS_OF_ALL = 60  # of all in a chain: 60 MB a day at the very most
AUDIT_READINGS_SECONDS = 3600  # in which the same reading by the same person is recorded once

# --- limits: probes and the status page ---------------------------------------------------------------------
PROBE_TIMEOUT_SECONDS = 2  # for each service: Prometheus and Kubernetes give up after a few times that
CERTIFICATE_PROBE_TIMEOUT_SECONDS = 1
STATUS_KEPT_SECONDS = 5.0  # whoever looks at the status page more often sees the same
STATUS_SLOW_SECONDS = 60  # images that wait longer are shown as waiting

# --- limits: traces -----------------------------------------------------------------------------------------
TRACES_SEND_TIMEOUT_SECONDS = 5  # for one batch, all its retries included
TRACES_END_SECONDS = 2.0  # for what was not sent yet when a process ends

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
if CHUNK_LEASE_SECONDS >= OUTBOX_SENT_KEPT_SECONDS:
    raise ImproperlyConfigured(
        "HEMATOVISION_CHUNK_LEASE_SECONDS must be shorter than tasks that were sent are remembered "
        f"({OUTBOX_SENT_KEPT_SECONDS} seconds)."
    )
for _lost in (EVENT_LOST_SECONDS, JOB_LOST_SECONDS):
    if _lost <= TASK_TIME_LIMIT_SECONDS:
        raise ImproperlyConfigured(
            f"HEMATOVISION_TASK_TIME_LIMIT_SECONDS must be below {_lost} seconds: then work counts as lost."
        )
if CHUNK_RETRY_LONGEST_SECONDS < CHUNK_RETRY_FIRST_SECONDS:
    raise ImproperlyConfigured(
        "HEMATOVISION_CHUNK_RETRY_LONGEST_SECONDS must not be below HEMATOVISION_CHUNK_RETRY_FIRST_SECONDS."
    )
