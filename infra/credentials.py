"""API tokens that `hematovision login` keeps for later commands, one for each server."""

import json
from pathlib import Path

import typer

from infra.local.secrets import write_private


def save(url: str, token: str) -> Path:
    """Keep the token for a server in a file that only its owner reads; returns the file."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, json.dumps({**_all(), url: token}, indent=2))
    return path


def load(url: str) -> str | None:
    """The token kept for a server, if one is."""
    return _all().get(url)


def _all() -> dict[str, str]:
    try:
        saved: dict[str, str] = json.loads(_path().read_text())
    except FileNotFoundError:
        return {}
    return saved


def _path() -> Path:
    return Path(typer.get_app_dir("hematovision")) / "tokens.json"
