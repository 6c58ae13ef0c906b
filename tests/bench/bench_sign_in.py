"""How many people can sign in a second: checking a password is what signing in costs, on purpose.

Measured beside the web and not through it, where the rates of sign-in would stop it at sixty a minute.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor

from argon2.low_level import Type, hash_secret, verify_secret

from webapp.accounts.hashers import Argon2id

EACH = 100
PASSWORD = b"correct horse battery staple"


def _check(times: int) -> float:
    """CPU seconds of one check, as Django does it."""
    costs = (Argon2id.time_cost, Argon2id.memory_cost, Argon2id.parallelism)
    kept = hash_secret(PASSWORD, os.urandom(16), *costs, 32, Type.ID)
    began = time.process_time()
    for _ in range(times):
        verify_secret(kept, PASSWORD, Type.ID)
    return (time.process_time() - began) / times


def sentence() -> str:
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_check, [1] * cores))  # started and warm
        began = time.perf_counter()
        cpu = max(pool.map(_check, [EACH] * cores))
        a_second = cores * EACH / (time.perf_counter() - began)
    mebibytes = Argon2id.memory_cost // 1024
    return (
        f"Signing in: {a_second:.0f} passwords checked a second on {cores} cores "
        f"({1000 * cpu:.0f} ms of CPU and {mebibytes} MiB each)."
    )
