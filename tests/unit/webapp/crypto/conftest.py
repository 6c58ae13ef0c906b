import pytest

from tests.support.data_keys import OLD


@pytest.fixture(autouse=True)
def one_key(settings):
    settings.DATA_KEYS, settings.DATA_KEYS_FILE = OLD, None
