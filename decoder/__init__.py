"""From uploaded bytes to pixels, or to a clear refusal, in processes that can be killed.

Knows no Django, no network and no secret: `decoder.pool` starts ``python -m decoder`` with an environment of
its own, and what a hostile file could do there ends with that process.
"""
