from collections import Counter

import pytest

from tests.support.people import alice, bob, charlie, lab, quick_passwords

__all__ = ["alice", "bob", "charlie", "lab", "quick_passwords"]

CASES_RUN: Counter[bool] = Counter()
"""Requests whose answer was held against the tables: of the API, and of pages."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CASES_RUN:
        terminalreporter.write_line(
            f"{CASES_RUN.total()} permission cases: {CASES_RUN[True]} of the API, {CASES_RUN[False]} of pages"
        )
