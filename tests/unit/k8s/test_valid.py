"""Every manifest is one that the API server would take."""

import importlib

import kubernetes_validate
import pytest

from tests.support.manifests import render

KUBERNETES = "1.35"
# The second is overlays/prod and all that is optional, the third has the embedded model server with TLS.
FOLDERS = ("overlays/dev", "../tests/support/monitored", "../tests/support/on_cpus")
# Models made from the custom resource definitions that the operators come with.
MODELS = {
    "cert-manager.io/v1": "cloudcoil.models.cert_manager.v1",
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}

BY_HAND = {"external-secrets.io/v1"}  # no package has their definition; the fields are few


@pytest.mark.parametrize("folder", FOLDERS)
def test_kubernetes_knows_every_field(folder):
    for manifest in render(folder):
        if manifest["apiVersion"] in {*MODELS, *BY_HAND}:
            continue
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_operators_know_every_field(folder):
    for manifest in render(folder):
        if module := MODELS.get(manifest["apiVersion"]):
            model = getattr(importlib.import_module(module), manifest["kind"])
            read = model.model_validate(manifest).model_dump(by_alias=True, exclude_unset=True, mode="json")
            assert read == manifest  # what a model does not know, it passes over


def test_external_secrets_say_where_each_value_comes_from():
    secrets = [m for m in render("overlays/prod") if m["apiVersion"] == "external-secrets.io/v1"]
    assert secrets
    for secret in secrets:
        spec = secret["spec"]
        assert set(spec) == {"refreshInterval", "secretStoreRef", "target", "data"}
        assert spec["target"]["name"] == secret["metadata"]["name"]
        for entry in spec["data"]:
            assert set(entry) == {"secretKey", "remoteRef"}
            assert set(entry["remoteRef"]) == {"key", "property"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_two_manifests_are_one(folder):
    keys = [(m["kind"], m["metadata"]["name"]) for m in render(folder)]
    assert len(keys) == len(set(keys))
    assert {m["metadata"].get("namespace", "hematovision") for m in render(folder)} == {"hematovision"}
