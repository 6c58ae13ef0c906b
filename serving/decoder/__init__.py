"""From uploaded bytes to pixels, or to a clear refusal, in processes that can be killed.

Knows no Django, no network and no secret: `serving.decoder.pool` starts ``python -m serving.decoder`` with an
environment of its own, and what a hostile file could do there ends with that process.
"""
