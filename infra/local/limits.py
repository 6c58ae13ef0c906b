"""How long the one-machine stack waits, in seconds. Nothing here can be set from outside.

A stop must last longer than that of each program, and whoever asked for it waits longer than whoever does it.
"""

from typing import Final

# Starting: until each service, the web with all it needs, and the supervisor itself answer.
SERVICE_START_S: Final = 60
WEB_START_S: Final = 90
SUPERVISOR_START_S: Final = 20
SUPERVISOR_POLL_S: Final = 0.05
POLL_S: Final = 0.1

# One question to a service, or to the web, which asks all of them.
SERVICE_TIMEOUT_S: Final = 2
WEB_TIMEOUT_S: Final = 10

# Stopping: how long each program may take before it is killed, and the stack as a whole.
PROGRAM_STOP_S: Final = 10
WEB_STOP_S: Final = 15
WAY_IN_STOP_S: Final = 15
WORKER_STOP_S: Final = 60  # as long as the chunk in hand
POSTGRES_STOP_S: Final = 20
STORE_STOP_S: Final = 5  # now and then it waits for itself; being killed costs it nothing
STOP_S: Final = 90
OTHERS_STOP_S: Final = STOP_S + 10  # where another process was asked to stop the stack

# What an earlier run left behind: how long it may take to end by itself, and to be gone once it is killed.
LEFTOVERS_STOP_S: Final = 10.0
PROGRAM_LEFTOVERS_STOP_S: Final = 2.0
KILLED_S: Final = 5

WATCH_S: Final = 0.5  # between two looks at whether the supervisor still runs
