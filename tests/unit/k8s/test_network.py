"""Who may talk to whom: the arrows of docs/architecture.md, and no other."""

import re
from collections.abc import Mapping
from typing import TypedDict

import pytest

from tests.support.manifests import ROOT, Manifest, labels, of_kind, programs, render, selects
from tests.support.present import present

DATABASE, BROKER, OBJECTS, MODEL = ("postgres", 5432), ("redis", 6379), ("seaweedfs", 8333), ("serving", 8500)
WEB = ("web", 8000)
WORKERS = ("worker-interactive", "worker-bulk", "worker-events")
MONITORED = "../tests/support/monitored"
ARROWS = {
    "web": {DATABASE, BROKER, OBJECTS, MODEL},
    "relay": {DATABASE, BROKER, OBJECTS, MODEL},  # the last two to tell whether they answer
    "worker-interactive": {DATABASE, BROKER, OBJECTS, MODEL},
    "worker-bulk": {DATABASE, BROKER, OBJECTS, MODEL},
    "worker-events": {DATABASE, BROKER, OBJECTS, MODEL},  # the last to tell whether it answers
    "beat": {BROKER},
    "flower": {BROKER},
    "migrate": {DATABASE, OBJECTS},
    "console": {DATABASE, BROKER, OBJECTS, MODEL},
}
PORTS = {DATABASE, BROKER, OBJECTS, MODEL, WEB, ("flower", 5555), ("serving", 8501)}


class Peer(TypedDict, total=False):
    pod: Mapping[str, str]
    namespace: Mapping[str, str]
    cidr: str


class Network:
    """What the policies of an overlay allow."""

    def __init__(self, folder: str) -> None:
        self.pods = {name: labels(program) for name, program in programs(render(folder)).items()}
        self.policies = [policy["spec"] for policy in of_kind(render(folder), "NetworkPolicy").values()]

    def allows(self, pod: str, direction: str, peer: Peer, port: int) -> bool:
        """Whether `pod` may send ("egress") to a peer's port, or take ("ingress") from a peer on its own.

        A peer has the labels of a `pod`, the labels of another `namespace`, or both, or is a `cidr`.
        """
        return any(
            selects(policy["podSelector"], self.pods[pod])
            and any(wanted["port"] == port for wanted in rule["ports"])
            and any(_meets(side, peer) for side in rule["to" if direction == "egress" else "from"])
            for policy in self.policies
            for rule in policy.get(direction, [])
        )

    def connects(self, source: str, target: str, port: int) -> bool:
        return self.allows(source, "egress", {"pod": self.pods[target]}, port) and self.allows(
            target, "ingress", {"pod": self.pods[source]}, port
        )


def _meets(side: Manifest, peer: Peer) -> bool:
    if "ipBlock" in side:
        return bool(side["ipBlock"]["cidr"] == peer.get("cidr"))
    if ("namespaceSelector" in side) != ("namespace" in peer):
        return False
    found = {"namespaceSelector": peer.get("namespace", {}), "podSelector": peer.get("pod", {})}
    return all(selects(side[selector], given) for selector, given in found.items() if selector in side)


def test_what_no_policy_allows_is_denied():
    for folder in ("overlays/dev", "overlays/prod"):
        deny = of_kind(render(folder), "NetworkPolicy")["deny-all"]["spec"]
        assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_each_arrow_is_open_and_no_other():
    network = Network("overlays/dev")
    found = {
        source: {(target, port) for target, port in PORTS if network.connects(source, target, port)}
        for source in network.pods
    }
    assert {source: targets for source, targets in found.items() if targets} == ARROWS


def test_each_policy_names_the_directions_it_rules():
    for folder in ("overlays/dev", MONITORED):
        for policy in Network(folder).policies:
            for direction in ("ingress", "egress"):
                assert direction not in policy or direction.title() in policy["policyTypes"]


@pytest.mark.parametrize("folder", ["overlays/dev", "overlays/prod"])
def test_who_reaches_anything_may_ask_for_names(folder):
    network = Network(folder)
    dns: Peer = {"namespace": {"kubernetes.io/metadata.name": "kube-system"}, "pod": {"k8s-app": "kube-dns"}}
    assert all(network.allows(pod, "egress", dns, 53) for pod in ARROWS)
    assert not network.allows("serving", "egress", dns, 53)


@pytest.mark.parametrize("folder", ["overlays/dev", "overlays/prod"])
def test_from_outside_one_comes_to_the_web_through_an_ingress_controller(folder):
    network = Network(folder)
    ingress: Peer = {"namespace": {"hematovision/ingress": "yes"}}
    other: Peer = {"namespace": {}}
    assert network.allows("web", "ingress", ingress, 8000)
    for pod, port in PORTS & {(pod, port) for pod, port in PORTS if pod in network.pods}:
        assert not network.allows(pod, "ingress", other, port)
        assert (pod, port) == WEB or not network.allows(pod, "ingress", ingress, port)


def test_in_production_each_program_reaches_the_managed_services_it_needs():
    network = Network("overlays/prod")
    managed = {
        DATABASE: ("192.0.2.10/32", 5432),
        BROKER: ("192.0.2.20/32", 6379),
        OBJECTS: ("192.0.2.30/32", 443),
    }
    for pod in network.pods:
        for service, (cidr, port) in managed.items():
            wanted = service in ARROWS.get(pod, set())
            assert network.allows(pod, "egress", {"cidr": cidr}, port) == wanted, (pod, service)


def test_the_relay_alone_reaches_the_mail_server_and_the_web_alone_those_who_vouch_for_people():
    network = Network("overlays/prod")
    for pod in network.pods:
        assert network.allows(pod, "egress", {"cidr": "192.0.2.40/32"}, 587) == (pod == "relay"), pod
        assert network.allows(pod, "egress", {"cidr": "192.0.2.50/32"}, 443) == (pod == "web"), pod


def test_prometheus_alone_reads_metrics():
    network = Network(MONITORED)
    prometheus: Peer = {"namespace": {"hematovision/monitoring": "yes"}}
    told = {pod: 8501 if pod == "serving" else 9464 for pod in ("web", "relay", *WORKERS, "serving")}
    for pod in network.pods:
        assert network.allows(pod, "ingress", prometheus, told.get(pod, 9464)) == (pod in told), pod


def test_what_tells_traces_reaches_the_collector_and_nothing_else_there():
    network = Network(MONITORED)
    collector: Peer = {"namespace": {"hematovision/tracing": "yes"}}
    for pod in network.pods:
        assert network.allows(pod, "egress", collector, 4318) == (pod in ("web", "relay", *WORKERS)), pod
        assert not network.allows(pod, "egress", collector, 443)
    maps = of_kind(render(MONITORED), "ConfigMap").values()
    (address,) = [told for map_ in maps if (told := map_["data"].get("HEMATOVISION_TRACES_ENDPOINT"))]
    assert address.endswith(":4318")


def test_metrics_come_as_the_jobs_that_alerts_ask_for():
    (endpoint,) = of_kind(render(MONITORED), "PodMonitor")["programs"]["spec"]["podMetricsEndpoints"]
    (relabel,) = endpoint["relabelings"]
    template = relabel["replacement"].replace("$1", r"\1")
    jobs = {
        present(re.fullmatch(relabel["regex"], pod)).expand(template) for pod in ("web", "relay", *WORKERS)
    }
    assert relabel["targetLabel"] == "job"
    rules = (ROOT / "infra/monitoring/rules/hematovision.yml").read_text()
    assert jobs == set(re.findall(r'absent\(up{job="(.*?)"}\)', rules))
    (watched,) = re.findall(r'up{job=~"(.*?)"}', rules)
    assert all(re.fullmatch(watched, job) for job in jobs)
