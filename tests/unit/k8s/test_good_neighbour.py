"""What a cluster expects of those who live in it: limits, budgets, few rights, spread."""

import pytest

from tests.support.manifests import app, containers, labels, of_kind, pod, programs, render, selects

OVERLAYS = ("overlays/dev", "overlays/prod")
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)
each_program = pytest.mark.parametrize(
    ("overlay", "name"), [(overlay, name) for overlay in OVERLAYS for name in programs(render(overlay))]
)
UNITS = {"m": 1e-3, "Mi": 2**20, "Gi": 2**30}


def quantity(text: str) -> float:
    for unit, factor in UNITS.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)


@each_program
def test_it_says_what_it_needs(overlay, name):
    for container in containers(programs(render(overlay))[name]):
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        for what in ("cpu", "memory"):
            assert 0 < quantity(requests[what]) <= quantity(limits[what])


@each_program
def test_it_has_no_rights_it_does_not_need(overlay, name):
    """The restricted Pod Security Standard, a root file system that cannot be written, no token."""
    program = programs(render(overlay))[name]
    spec = pod(program)
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in containers(program):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert {"name": "tmp", "mountPath": "/tmp"} in app(program)["volumeMounts"]  # noqa: S108


@each_overlay
def test_the_namespace_takes_no_others(overlay):
    namespace = of_kind(render(overlay), "Namespace")["hematovision"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@each_overlay
def test_what_runs_more_than_once_stays_while_nodes_are_emptied(overlay):
    """One goes at a time; a budget that allows none would keep its node from ever being emptied."""
    manifests = render(overlay)
    scaled = {
        found["spec"]["scaleTargetRef"]["name"]
        for found in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject").values()
    }
    budgets = [budget["spec"] for budget in of_kind(manifests, "PodDisruptionBudget").values()]
    for name, deployment in of_kind(manifests, "Deployment").items():
        several = name in scaled or deployment["spec"].get("replicas", 1) > 1
        kept = [budget for budget in budgets if selects(budget["selector"], labels(deployment))]
        assert len(kept) >= several, name
        assert all(budget["maxUnavailable"] == 1 for budget in kept)


@each_overlay
def test_nobody_sets_the_number_that_a_scaler_sets(overlay):
    manifests = render(overlay)
    for found in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject").values():
        target = of_kind(manifests, "Deployment")[found["spec"]["scaleTargetRef"]["name"]]
        assert "replicas" not in target["spec"]


@each_overlay
def test_copies_stand_apart(overlay):
    for deployment in of_kind(render(overlay), "Deployment").values():
        spread = {rule["topologyKey"] for rule in pod(deployment)["topologySpreadConstraints"]}
        assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


@each_overlay
def test_selectors_choose_their_own_pods_alone(overlay):
    manifests = render(overlay)
    for name, program in of_kind(manifests, "Deployment", "StatefulSet").items():
        selector = program["spec"]["selector"]
        chosen = [other for other, found in programs(manifests).items() if selects(selector, labels(found))]
        assert chosen == [name]
