"""``python -m workers.ready``: whether all that a worker needs answers; if not, exits with 1 and says what.

For readiness probes. A worker without its model server takes no harm, and its images wait; but one that was
given a wrong address, certificate or model folder must not take the place of those that work.
"""

import sys

from webapp.operations import health


def main() -> int:
    missing = [f"{name} {answer}" for name, answer in health.services().items() if answer != health.OK]
    print("; ".join(missing), file=sys.stderr)  # noqa: T201
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
