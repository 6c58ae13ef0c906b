"""Through which proxy an address is reached: as curl reads the environment, networks in NO_PROXY included."""

import socket
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """The proxy for an address; None where it is reached directly, as this machine always is.

    httpx reads `10.0.0.0/8` as a host's name, and cannot read `::1/128` at all.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    given = getproxies()
    proxy = given.get(parts.scheme) or given.get("all")
    if not proxy or _is_excepted(host, parts.port, given) or _is_this_machine(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as ours:
            ours.bind((host, 0))  # nothing but an address of this machine can be had
    except OSError:
        return False
    return True


def _is_excepted(host: str, port: int | None, given: dict[str, str]) -> bool:
    excepted = [entry.strip() for entry in given.get("no", "").split(",")]
    if "*" in excepted or any(_holds(entry, host) for entry in excepted):
        return True
    named = f"{host}:{port}" if port else host
    return bool(":" not in host and proxy_bypass(named, given))


def _holds(network: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(network.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
