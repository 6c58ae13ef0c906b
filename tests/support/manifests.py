"""What `kubectl apply -k` would send to a cluster."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_KUBECTL = Path(sys.executable).with_name("kubectl")

Manifest = dict[str, Any]


@cache
def render(folder: str) -> tuple[Manifest, ...]:
    """The manifests that kustomize makes of `folder`, which is relative to k8s/."""
    command: list[str | Path] = [_KUBECTL, "kustomize", ROOT / "k8s" / folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(manifests: tuple[Manifest, ...], *kinds: str) -> dict[str, Manifest]:
    """Those of some kinds, by name."""
    return {found["metadata"]["name"]: found for found in manifests if found["kind"] in kinds}


def programs(manifests: tuple[Manifest, ...]) -> dict[str, Manifest]:
    """Everything that runs pods, by name."""
    return of_kind(manifests, "Deployment", "StatefulSet", "Job")


def pod(program: Manifest) -> Manifest:
    spec: Manifest = program["spec"]["template"]["spec"]
    return spec


def app(program: Manifest) -> Manifest:
    """The container that the pod is there for."""
    (container,) = pod(program)["containers"]
    return dict(container)


def containers(program: Manifest) -> Iterator[Manifest]:
    yield from pod(program).get("initContainers", [])
    yield from pod(program)["containers"]


def labels(program: Manifest) -> Mapping[str, str]:
    """Those of its pods."""
    found: Mapping[str, str] = program["spec"]["template"]["metadata"]["labels"]
    return found


def options(container: Manifest) -> dict[str, str]:
    """Its arguments of the form --name=value."""
    pairs = (argument.split("=", 1) for argument in container.get("args", []) if "=" in argument)
    return {name: value for name, value in pairs if name.startswith("-")}


def selects(selector: Manifest, found: Mapping[str, str]) -> bool:
    """Whether a label selector chooses something with these labels."""
    pairs = selector.get("matchLabels", {})
    if any(found.get(name) != value for name, value in pairs.items()):
        return False
    operators = {
        "In": lambda value, values: value in values,
        "NotIn": lambda value, values: value not in values,
    }
    return all(
        operators[rule["operator"]](found.get(rule["key"]), rule["values"])
        for rule in selector.get("matchExpressions", [])
    )
