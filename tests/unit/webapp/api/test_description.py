"""The document of the API says of every endpoint what it takes and gives."""

import re
from io import StringIO

import yaml
from django.core.management import call_command

from tests.permissions.endpoints import ENDPOINTS

UNDESCRIBED = {"/api/v1/schema/", "/api/v1/docs/"}


def test_every_endpoint_is_described_and_nothing_is_guessed():
    document = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=document)
    described = {
        (path, method.upper())
        for path, operations in yaml.safe_load(document.getvalue())["paths"].items()
        for method in operations
        if path not in UNDESCRIBED
    }
    assert described == {
        (re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{route}"), method)
        for route, methods in ENDPOINTS.items()
        for method in methods
        if route.startswith("api/") and f"/{route}" not in UNDESCRIBED
    }
