"""Flower, with its metrics for Prometheus behind its password too: `python -m workers.flower --port=…`.

Of itself it tells anybody which workers and tasks there are, at `/metrics`.
"""

import sys

from celery.bin.celery import main
from flower.views.monitor import Metrics
from tornado.web import authenticated

if __name__ == "__main__":
    Metrics.get = authenticated(Metrics.get)
    sys.argv = ["celery", "--app=workers", "flower", *sys.argv[1:]]
    main()
