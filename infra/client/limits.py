"""How often, for how long and how much at once the client asks. Nothing here can be set from outside."""

from typing import Final

# A request is retried while the server is unreachable or overloaded. Between tries the client backs off,
# twice as long each time; a server that names a time in Retry-After is heard, up to the longest.
MAX_ATTEMPTS: Final = 6
FIRST_BACKOFF_S: Final = 0.5
LONGEST_BACKOFF_S: Final = 15.0

CONNECT_TIMEOUT_S: Final = 5.0
API_TIMEOUT_S: Final = 30.0
# What the kernel has taken for a slow line may be on its way for minutes after we have written it.
STORE_TIMEOUT_S: Final = 180.0

GROUP: Final = 64  # files asked for, sent and handed over at once: what the model takes in one call
CONCURRENCY: Final = 8  # files read or sent at once
MANY: Final = 100  # from this many files on, they go to the bulk queue

POLL_S: Final = 0.5  # between two looks at a case that waits for the model
LINE_EVERY_S: Final = 5.0  # between two lines of progress where there is no terminal
