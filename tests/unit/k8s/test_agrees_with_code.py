"""What the manifests say of the code is so: settings, queues, ports, probes, times."""

import base64
import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
from django.urls import resolve

from infra.docs import settings_table
from serving.manifest import Publisher
from tests.support.manifests import (
    ROOT,
    Manifest,
    app,
    containers,
    labels,
    of_kind,
    options,
    pod,
    programs,
    render,
    selects,
)
from tests.support.present import present
from webapp.config import gunicorn
from webapp.outbox.queues import CHUNKS, WORKERS, Queue
from workers import celery

OVERLAYS = ("overlays/dev", "overlays/prod", "../tests/support/monitored")
SECRETS = "/run/secrets/hematovision/"
each_model_server = pytest.mark.parametrize(
    "folder", ["overlays/dev", "overlays/prod", "../tests/support/on_cpus"]
)
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def settings_of(overlay: str) -> dict[str, str]:
    """Variables of every process of ours."""
    data: dict[str, str] = named(overlay, "ConfigMap", "settings")["data"]
    return data


def named(overlay: str, kind: str, name: str) -> Manifest:
    """The one whose name was made of `name` and a hash of what is in it."""
    (found,) = [m for full, m in of_kind(render(overlay), kind).items() if re.fullmatch(rf"{name}-\w+", full)]
    return found


def deployment(name: str, overlay: str = "overlays/prod"):
    return programs(render(overlay))[name]


def web_options() -> dict[str, str]:
    """What the image starts the web with."""
    dockerfile = (ROOT / "infra" / "images" / "web.Dockerfile").read_text().replace("\\\n", "")
    return options({"args": json.loads(present(re.search(r"^CMD (.*)$", dockerfile, re.MULTILINE))[1])})


def worker_queues(name: str) -> set[str]:
    arguments = app(deployment(name))["args"]
    return set(arguments[arguments.index("-Q") + 1].split(","))


def files_of(overlay: str) -> set[str]:
    """What every process of ours finds in SECRETS."""
    (volume,) = [v for v in pod(deployment("web", overlay))["volumes"] if v["name"] == "secrets"]
    keys = {name: set(found["data"]) for name, found in of_kind(render(overlay), "Secret").items()} | {
        name: {entry["secretKey"] for entry in found["spec"]["data"]}
        for name, found in of_kind(render(overlay), "ExternalSecret").items()
    }
    sources = [source["secret"] for source in volume["projected"]["sources"]]
    return {item["path"] for source in sources for item in source.get("items", [])}.union(
        *(keys[source["name"]] for source in sources if "items" not in source)
    )


@each_overlay
def test_each_secret_is_where_its_setting_looks(overlay):
    files = {v.removeprefix(SECRETS) for v in settings_of(overlay).values() if v.startswith(SECRETS)}
    assert files == files_of(overlay)
    assert files >= set(named("overlays/dev", "Secret", "hematovision")["data"])


@each_overlay
def test_only_what_makes_tables_knows_their_owner(overlay):
    owners = {"HEMATOVISION_DATABASE_OWNER_URL_FILE": "/run/secrets/database-owner/DATABASE_OWNER_URL"}
    knows = {
        name
        for name, program in programs(render(overlay)).items()
        for container in containers(program)
        if owners.items() <= {entry["name"]: entry.get("value") for entry in container.get("env", [])}.items()
    }
    mounts = {
        name
        for name, program in programs(render(overlay)).items()
        if "database-owner" in {volume["name"] for volume in pod(program).get("volumes", [])}
    }
    assert knows == mounts == {"migrate", *(["console"] if "monitored" in overlay else [])}


@each_overlay
def test_the_settings_start_the_product(overlay, tmp_path):
    """With the variables of the ConfigMap and the files of the Secret, and nothing else, Django starts."""
    values = named("overlays/dev", "Secret", "hematovision")["data"]
    for name in files_of(overlay):
        (tmp_path / name).write_bytes(base64.b64decode(values.get(name, "")))
    if overlay != "overlays/dev":
        (tmp_path / "BROKER_URL").write_text("rediss://:secret@redis.example.org/0")
    given = {name: value.replace(SECRETS, f"{tmp_path}/") for name, value in settings_of(overlay).items()}
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "check"],
        env={"PATH": os.environ["PATH"], **given},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@each_overlay
def test_every_setting_is_one_that_the_code_reads(overlay):
    known = {setting.name for setting in settings_table.read()} | {"HOME"}  # the last is the command line's
    given = {name.removeprefix("HEMATOVISION_").removesuffix("_FILE") for name in settings_of(overlay)}
    assert given <= known


def test_every_queue_has_its_workers():
    for name, worker in WORKERS.items():
        assert worker_queues(f"worker-{name}") == set(worker.queues)
    workers = {name for name in programs(render("overlays/prod")) if name.startswith("worker-")}
    assert workers == {f"worker-{name}" for name in WORKERS}
    prometheus = (ROOT / "infra/monitoring/prometheus.yml").read_text()
    assert workers <= set(re.findall(r"worker-\w+", prometheus))
    in_one = (ROOT / "infra/images/worker.Dockerfile").read_text()
    assert set(present(re.search(r'"-Q", "([\w,]+)"', in_one))[1].split(",")) == set(Queue)


@pytest.mark.parametrize("queue", [queue.value for queue in CHUNKS])
def test_workers_are_counted_by_their_own_queue(queue):
    scaled = of_kind(render("overlays/prod"), "ScaledObject")[f"worker-{queue}"]["spec"]
    assert queue in worker_queues(scaled["scaleTargetRef"]["name"])
    (trigger,) = scaled["triggers"]
    assert f"queue = '{queue}'" in trigger["metadata"]["query"]


@each_overlay
def test_probes_ask_for_pages_that_exist(overlay):
    web = app(deployment("web", overlay))
    assert web_options()["--bind"] == f"0.0.0.0:{web['ports'][0]['containerPort']}"
    hosts = settings_of(overlay)["HEMATOVISION_ALLOWED_HOSTS"].split(",")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        resolve(web[name]["httpGet"]["path"])
        assert {"name": "Host", "value": hosts[-1]} in web[name]["httpGet"]["httpHeaders"]
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"


@each_overlay
def test_ports_that_are_named_exist(overlay):
    manifests = render(overlay)
    for program in programs(manifests).values():
        known = {port["name"] for port in app(program).get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            for check in app(program).get(probe, {}).values():
                port = check.get("port") if isinstance(check, dict) else None
                assert port is None or isinstance(port, int) or port in known
    for service in of_kind(manifests, "Service").values():
        selector = {"matchLabels": service["spec"]["selector"]}
        (chosen,) = [found for found in programs(manifests).values() if selects(selector, labels(found))]
        known = {port["name"] for port in app(chosen)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= known


def test_the_ingress_leads_to_the_web():
    (rule,) = of_kind(render("overlays/prod"), "Ingress")["web"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    service = of_kind(render("overlays/prod"), "Service")[path["backend"]["service"]["name"]]
    assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    assert rule["host"] in settings_of("overlays/prod")["HEMATOVISION_ALLOWED_HOSTS"].split(",")
    assert f"https://{rule['host']}" in settings_of("overlays/prod")["HEMATOVISION_WEB_ORIGINS"].split(",")


def test_metrics_are_told_where_prometheus_asks():
    port = settings_of("../tests/support/monitored")["HEMATOVISION_METRICS_LISTEN"].rpartition(":")[2]
    for name in ("web", "relay", *(f"worker-{name}" for name in WORKERS)):
        assert {"name": "metrics", "containerPort": int(port)} in app(deployment(name))["ports"]


@each_overlay
def test_workers_find_the_model_server(overlay):
    host, port = settings_of(overlay)["HEMATOVISION_SERVING_TARGET"].split(":")
    service = of_kind(render(overlay), "Service")[host]
    assert service["spec"]["clusterIP"] == "None"  # so that its name stands for every pod
    assert int(port) in {p["port"] for p in service["spec"]["ports"]}
    assert options(app(deployment("serving", overlay)))["--port"] == port


def test_the_model_servers_read_what_the_console_publishes():
    for name, read_only in {"serving": True, "console": False, "migrate": False}.items():
        volumes = {volume["name"]: volume for volume in pod(deployment(name))["volumes"]}
        assert volumes["models"]["persistentVolumeClaim"]["claimName"] == "models"
        (mount,) = [mount for mount in app(deployment(name))["volumeMounts"] if mount["name"] == "models"]
        assert mount["mountPath"] == settings_of("overlays/prod")["HEMATOVISION_MODELS"] == "/models"
        assert mount.get("readOnly", False) == read_only
    assert options(app(deployment("serving")))["--model_config_file"] == "/models/models.config"


def secret_items(program: Manifest, secret: str) -> list[dict[str, str]] | None:
    """What a pod sees of a secret, whose name kustomize ends with a hash; None for all of it."""
    (volume,) = [
        volume["secret"]
        for volume in pod(program)["volumes"]
        if volume.get("secret", {}).get("secretName", "").startswith(secret)
    ]
    items: list[dict[str, str]] | None = volume.get("items")
    return items


@each_model_server
def test_a_model_server_believes_what_was_published_and_cannot_sign(folder):
    serving = deployment("serving", folder)
    assert secret_items(serving, "publisher") == [{"key": "publisher", "path": "publisher"}]
    checks = [
        container
        for container in containers(serving)
        if options(container).get("--publisher") == "/run/secrets/publisher/publisher"
    ]
    (check,) = checks
    assert check["command"][-1] in ("serving.check_published", "serving.embedded")
    assert options(check)["--model-base"] == "/models"
    for container in containers(serving):
        for mount in container["volumeMounts"]:
            assert mount["name"] != "models" or mount["readOnly"]


@each_overlay
def test_the_key_that_signs_models_is_where_models_are_published_and_nowhere_else(overlay):
    holders = {
        name
        for name, program in programs(render(overlay)).items()
        for volume in pod(program)["volumes"]
        if volume.get("secret", {}).get("secretName", "").startswith("publisher")
        and "items" not in volume["secret"]
    }
    assert holders == {"console", "migrate"}
    for name in holders:
        file = {"name": "HEMATOVISION_MODEL_KEY_FILE", "value": "/run/secrets/publisher/MODEL_KEY"}
        assert file in app(deployment(name, overlay))["env"]


def test_for_trying_the_two_halves_of_the_key_are_a_pair():
    data = named("overlays/dev", "Secret", "publisher")["data"]
    key, public = (base64.b64decode(data[name]).decode() for name in ("MODEL_KEY", "publisher"))
    assert Publisher(key).public == public


@pytest.mark.parametrize("folder", ["overlays/prod", "../tests/support/on_cpus"])
def test_a_model_server_asks_its_clients_for_a_certificate_of_their_own_authority(folder):
    serving = deployment("serving", folder)
    (ca,) = [told for container in containers(serving) if (told := options(container).get("--client-ca"))]
    mounts = {
        f"{mount['mountPath']}/ca.crt": mount["name"]
        for container in containers(serving)
        for mount in container["volumeMounts"]
    }
    (volume,) = [volume for volume in pod(serving)["volumes"] if volume["name"] == mounts[ca]]
    assert volume["secret"]["secretName"] == "serving-client"
    client = of_kind(render(folder), "Certificate")["serving-client"]["spec"]
    assert client["issuerRef"] == {"kind": "Issuer", "name": "serving-clients"}
    assert "client auth" in client["usages"]
    assert settings_of(folder).items() >= {
        ("HEMATOVISION_SERVING_CERTIFICATE", f"{SECRETS}SERVING_CERTIFICATE"),
        ("HEMATOVISION_SERVING_KEY", f"{SECRETS}SERVING_KEY"),
    }


def test_the_embedded_servers_probe_shows_a_certificate():
    command = app(deployment("serving", "../tests/support/on_cpus"))["readinessProbe"]["exec"]["command"]
    given = options({"args": command})
    assert given.keys() == {"--ca", "--certificate", "--key"}
    names = of_kind(render("../tests/support/on_cpus"), "Certificate")["serving"]["spec"]["dnsNames"]
    assert command[3].partition(":")[0] in names


def test_for_trying_the_cluster_meets_the_stores_s3_alone():
    store = app(deployment("seaweedfs", "overlays/dev"))
    assert options(store)["-ip.bind"] == "127.0.0.1"
    (rule,) = of_kind(render("overlays/dev"), "NetworkPolicy")["into-seaweedfs"]["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": int(options(store)["-s3.port"])}]


# --- stopping -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"worker-{name}" for name in WORKERS])
def test_workers_have_time_to_give_back_what_they_hold(name):
    worker = deployment(name)
    assert {"name": "REMAP_SIGTERM", "value": "SIGQUIT"} in app(worker)["env"]
    soft_shutdown = celery.app.conf.worker_soft_shutdown_timeout
    assert 0 < soft_shutdown < celery.app.conf.task_soft_time_limit
    assert soft_shutdown + 15 <= pod(worker)["terminationGracePeriodSeconds"]


def test_the_web_has_time_to_finish():
    web = app(deployment("web"))
    busy = web["lifecycle"]["preStop"]["sleep"]["seconds"] + gunicorn.graceful_timeout
    assert busy + 5 <= pod(deployment("web"))["terminationGracePeriodSeconds"]


def test_a_model_server_stays_until_nobody_asks_it_any_more(settings):
    """Connections end after max_connection_age (and a tenth, by chance); the last request on one takes no
    longer than a worker waits."""
    serving = deployment("serving")
    said = re.findall(r"max_connection_age_(?:grace_)?ms=(\d+)", " ".join(app(serving)["args"]))
    age, grace = (int(value) / 1000 for value in said)
    deadline = settings.MODEL_DEADLINE_SECONDS
    assert grace >= deadline
    drain = app(serving)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert drain >= 1.1 * age + deadline
    assert drain < pod(serving)["terminationGracePeriodSeconds"]


def test_a_new_pod_is_ready_before_an_old_one_goes():
    for name in ("web", "relay", "worker-interactive", "serving"):
        assert deployment(name)["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_there_is_one_beat():
    beat = deployment("beat")["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


# --- images -------------------------------------------------------------------------------------------------


@each_overlay
def test_images_have_a_version(overlay):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for program in programs(render(overlay)).values():
        for container in containers(program):
            name, _, tag = container["image"].partition(":")
            assert tag
            assert not tag.startswith("latest")
            assert not name.startswith("hematovision/") or tag == version


def test_images_that_are_not_ours_are_those_of_compose():
    example = (ROOT / "infra" / "compose" / "env.example").read_text()
    for overlay in OVERLAYS:
        for program in programs(render(overlay)).values():
            for container in containers(program):
                assert container["image"].startswith("hematovision/") or f"={container['image']}\n" in example
