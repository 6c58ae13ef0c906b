"""What the OpenAPI document allows, and what it does not, is sent to the running product by several roles.

Nothing may fail on our side, and answers must be what the document says. `make fuzz` does it at length.
"""

import os
import time

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err, Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))  # of each operation, role and mode
AT_LENGTH = "FUZZ_EXAMPLES" in os.environ
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def lab(stack):
    return stack.new_lab()


@pytest.fixture(scope="module")
def operations(stack):
    schema: BaseSchema = schemathesis.openapi.from_url(f"{stack.url}/api/v1/schema/")
    if not AT_LENGTH:
        # So many failed attempts would keep the tests that come after from signing in.
        schema = schema.exclude(path="/api/v1/tokens/", method="POST")
    found = list(schema.get_all_operations())
    assert [one.err() for one in found if isinstance(one, Err)] == []
    return [one.ok() for one in found if isinstance(one, Ok)]


@pytest.mark.timeout(24 * 3600 if AT_LENGTH else 180)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("role", ["technician", "clinician", "admin"])
def test_nothing_fails_and_answers_are_as_described(lab, operations, role, mode):
    headers = {"Authorization": f"Bearer {lab[role]['token']}"}
    sent = 0
    failures = []

    def ask(case):
        nonlocal sent
        sent += 1
        response = case.call(headers=headers, allow_redirects=False)
        while response.status_code == 429 and case.method != "POST":
            time.sleep(1)
            response = case.call(headers=headers, allow_redirects=False)
        case.validate_response(response, checks=CHECKS)

    for operation in operations:
        strategy = operation.as_strategy(generation_mode=mode)
        bounded = settings(
            max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        try:
            bounded(given(case=strategy)(ask))()
        except (AssertionError, BaseExceptionGroup) as failure:
            failures.append(failure)
    print(f"{sent} requests to {len(operations)} operations as {role}, {mode.value}")  # noqa: T201 - a figure
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} operations", failures)
