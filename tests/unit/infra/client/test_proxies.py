"""Which proxy an address is reached through."""

import pytest
from pytest_socket import enable_socket

from infra.client.proxies import proxy_for

PROXY = "http://proxy.example:3128"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def environment(_no_network: None, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    enable_socket()  # an address of this machine is one that can be bound
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_without_a_proxy_there_is_none() -> None:
    assert proxy_for("https://lab.example") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://127.8.9.10",
        "http://localhost:8000",
        "http://hv.localhost",
        "http://[::1]:8000",
    ],
)
def test_this_machine_is_never_reached_through_one(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("HTTP_PROXY", PROXY)
    environment.setenv("http_proxy", PROXY)
    assert proxy_for(url) is None


@pytest.mark.parametrize(
    ("url", "excepted", "goes_through"),
    [
        ("http://10.1.2.3:9000", "10.0.0.0/8", False),
        ("http://11.1.2.3:9000", "10.0.0.0/8", True),
        ("http://10.1.2.3", "localhost, 10.0.0.0/8 ,::1/128", False),
        ("http://10.1.2.3", "::1/128", True),
        ("http://[fd00::7]:9000", "fd00::/8", False),
        ("http://[fd00::7]:9000", "[fd00::7]", False),
        ("http://[fe80::7]:9000", "fd00::/8", True),
        ("http://10.1.2.3", "10.1.2.3", False),
        ("http://lab.example", "example", False),
        ("http://lab.example", ".example", False),
        ("http://lab.example", "lab.example", False),
        ("http://lab.example:81", "lab.example:81", False),
        ("http://lab.example:82", "lab.example:81", True),
        ("http://mylab.example", "lab.example", True),
        ("http://lab.example", "10.0.0.0/8", True),
        ("http://lab.example", "a,*", False),
        ("http://lab.example", "10.0.0.0/99, /, ::1/x, ", True),
    ],
)
def test_networks_are_excepted_as_names_are(
    environment: pytest.MonkeyPatch, url: str, excepted: str, goes_through: bool
) -> None:
    environment.setenv("http_proxy", PROXY)
    environment.setenv("no_proxy", excepted)
    assert proxy_for(url) == (PROXY if goes_through else None)


def test_a_proxy_may_be_given_for_all_or_without_a_scheme(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("all_proxy", "proxy.example:3128")
    assert proxy_for("https://lab.example") == PROXY


def test_another_address_of_this_machine_needs_none(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("http_proxy", PROXY)
    assert proxy_for("http://0.0.0.0:8000") is None
