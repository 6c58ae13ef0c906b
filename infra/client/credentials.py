"""API tokens that `hematovision login` keeps for later commands, one for each server."""

import json
from pathlib import Path

import typer

from infra.client.connection import server_address
from infra.client.errors import ClientError
from infra.language import _
from infra.local.config.secrets import write_private


def save(url: str, token: str) -> Path:
    """Keep the token for a server in a file that only its owner reads; returns the file.

    Raises:
        ClientError: the file cannot be read or written.
    """
    path = _path()
    tokens = {**_all(), url: token}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, json.dumps(tokens, indent=2))
    except OSError as error:
        raise ClientError(
            _("The token cannot be kept in %(path)s: %(error)s.") % {"path": path, "error": error.strerror}
        ) from error
    return path


def load(url: str) -> str | None:
    """The token kept for a server, if one is.

    Raises:
        ClientError: the file cannot be read, or `url` is no address.
    """
    return _all().get(server_address(url))


def _all() -> dict[str, str]:
    path = _path()
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ClientError(
            _("The tokens in %(path)s cannot be read: %(error)s.") % {"path": path, "error": error.strerror}
        ) from error
    except ValueError:
        saved = None
    if not isinstance(saved, dict):
        raise ClientError(
            _("%(path)s holds no tokens. Remove it, and sign in again with `hematovision login`.")
            % {"path": path}
        )
    return {str(url): str(token) for url, token in saved.items()}


def _path() -> Path:
    return Path(typer.get_app_dir("hematovision")) / "tokens.json"
