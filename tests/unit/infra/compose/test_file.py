"""docker-compose.yml against the code it runs, and against what a hospital expects of a container."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.compose.set_up import make
from infra.docs.settings_table import compose_settings, read
from serving.embedded.limits import GRACE_S
from webapp.outbox.queues import WORKERS
from workers.celery import app

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {"backup", "migrate", "models-checked", "set-up"}
DJANGO = {name for name, service in SERVICES.items() if "SECRET_KEY" in service.get("secrets", [])}

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def defaults() -> dict[str, str]:
    """The default of every variable that Compose puts in."""
    return dict(re.findall(r"\$\{(\w+):-([^{}]*)\}", TEXT))


@each_service
def test_nothing_can_be_written_or_gained(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@each_service
def test_resources_are_limited(service: dict[str, Any]) -> None:
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}


def test_one_account_runs_everything_but_the_set_up() -> None:
    assert {name for name, service in SERVICES.items() if service["user"] != "10001:10001"} == {"set-up"}
    assert SERVICES["set-up"]["network_mode"] == "none"


def test_what_stays_up_is_looked_after() -> None:
    for name in SERVICES.keys() - ONCE:
        assert SERVICES[name]["restart"] == "unless-stopped", name
        assert SERVICES[name]["healthcheck"]["test"], name
    assert {SERVICES[name]["restart"] for name in ONCE} == {"no"}


@each_service
def test_images_are_pinned(service: dict[str, Any]) -> None:
    image = re.sub(r"\$\{\w+:-([^{}]*)\}", r"\1", service["image"])
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-[\w.]+)?(@sha256:[0-9a-f]{64})?$", image), image


def test_the_version_is_the_projects() -> None:
    assert f'\nversion = "{defaults()["HEMATOVISION_VERSION"]}"\n' in (ROOT / "pyproject.toml").read_text()


def test_caddy_alone_meets_the_world() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"caddy"}
    assert {name for name, service in SERVICES.items() if "edge" in service.get("networks", [])} == {"caddy"}
    within = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert within == COMPOSE["networks"].keys() - {"edge", "outside"}
    assert {name for name, service in SERVICES.items() if "outside" in service.get("networks", [])} == {
        "relay",
        "web",
    }


@each_service
def test_no_secret_is_in_an_environment(service: dict[str, Any]) -> None:
    environment = service.get("environment") or {}
    secret = re.compile(r"PASSWORD|SECRET|TOKEN|KEYS?$|DATABASE_URL|BROKER_URL")
    values = {name: value for name, value in environment.items() if not value.startswith("/run/secrets/")}
    assert [name for name in values if secret.search(name)] == []


def test_settings_are_the_codes() -> None:
    known = {f"HEMATOVISION_{setting.name}" for setting in read()}
    required = {
        f"HEMATOVISION_{setting.name}"
        for setting in read()
        if setting.default is None and not setting.only_with
    }
    outside_django = {"HEMATOVISION_HOME"}
    for name in DJANGO:
        given = {variable.removesuffix("_FILE") for variable in SERVICES[name]["environment"]}
        assert given - known == outside_django, name
        assert required <= given, name


def test_only_what_makes_tables_knows_their_owner() -> None:
    knows = {name for name, service in SERVICES.items() if "DATABASE_OWNER_URL" in service.get("secrets", [])}
    told = {
        name
        for name, service in SERVICES.items()
        if "HEMATOVISION_DATABASE_OWNER_URL_FILE" in (service.get("environment") or {})
    }
    assert knows == told == {"migrate", "backup"}


def test_secrets_are_those_that_set_up_makes(tmp_path: Path) -> None:
    make(tmp_path)
    files = {secret["file"].rpartition("/")[2] for secret in COMPOSE["secrets"].values()}
    assert files <= {path.name for path in tmp_path.iterdir()}
    for service in SERVICES.values():
        for secret in service.get("secrets", []):
            assert (secret if isinstance(secret, str) else secret["source"]) in COMPOSE["secrets"]
    for name in DJANGO:
        files_in_environment = {
            value.removeprefix("/run/secrets/")
            for value in SERVICES[name]["environment"].values()
            if value.startswith("/run/secrets/")
        }
        assert files_in_environment <= set(SERVICES[name]["secrets"]), name


def test_workers_are_those_of_the_table() -> None:
    commands = {name: service.get("command") or [] for name, service in SERVICES.items()}
    workers = {
        name: (command[command.index("-Q") + 1], command[command.index("-c") + 1])
        for name, command in commands.items()
        if "-Q" in command
    }
    assert workers == {
        f"worker-{name}": (",".join(worker.queues), str(worker.concurrency))
        for name, worker in WORKERS.items()
    }


def test_work_in_hand_is_finished_before_the_end() -> None:
    for name in (f"worker-{name}" for name in WORKERS):
        assert seconds(SERVICES[name]["stop_grace_period"]) > app.conf.task_time_limit
    for name in ("serving", "serving-gpu"):
        assert seconds(SERVICES[name]["stop_grace_period"]) > GRACE_S


def test_the_database_is_migrated_before_anything_uses_it() -> None:
    for name in DJANGO - ONCE:
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_one_of_two_model_servers_answers_to_the_name() -> None:
    cpu, gpu = SERVICES["serving"], SERVICES["serving-gpu"]
    assert (cpu["profiles"], gpu["profiles"]) == (["cpu"], ["gpu"])
    assert gpu["networks"]["inside"]["aliases"] == ["serving"]
    assert SERVICES["web"]["environment"]["HEMATOVISION_SERVING_TARGET"] == "serving:8500"
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    for configuration in ("batching.config", "monitoring.config"):
        assert any(option.endswith(f"=/configs/{configuration}") for option in gpu["command"])
        assert (ROOT / "serving" / "configs" / configuration).is_file()


@pytest.mark.parametrize("name", ["serving", "serving-gpu", "models-checked"])
def test_a_model_server_may_not_write_models(name: str) -> None:
    (models,) = [mount for mount in SERVICES[name]["volumes"] if isinstance(mount, dict)]
    assert (models["source"], models["read_only"]) == ("models", True)


def test_model_servers_serve_those_who_show_a_certificate_and_what_was_published(tmp_path: Path) -> None:
    make(tmp_path)
    cpu = SERVICES["serving"]["command"]
    assert {"--client-ca=/run/secrets/ca.pem", "--publisher=/run/secrets/publisher"} <= set(cpu)
    assert "--ssl_config_file=/run/secrets/serving-ssl.config" in SERVICES["serving-gpu"]["command"]
    assert "client_verify: true" in (tmp_path / "serving-ssl.config").read_text()
    checked = {"models-checked": {"condition": "service_completed_successfully"}}
    assert SERVICES["serving-gpu"]["depends_on"] == checked
    assert "--publisher=/run/secrets/publisher" in SERVICES["models-checked"]["command"]
    for name in DJANGO:
        environment = SERVICES[name]["environment"]
        assert environment["HEMATOVISION_SERVING_CERTIFICATE"] == "/run/secrets/product.pem", name


def test_who_signs_models_is_out_of_reach_of_whoever_is_on_the_network_all_day() -> None:
    holders = {name for name, service in SERVICES.items() if "MODEL_KEY" in service.get("secrets", [])}
    writers = {
        name
        for name, service in SERVICES.items()
        for mount in service.get("volumes", [])
        if isinstance(mount, dict) and mount["source"] == "models" and not mount.get("read_only")
    }
    assert holders == writers == {"migrate", "backup"}


def test_every_variable_is_in_the_example_with_its_default() -> None:
    example = {name: value for name, value, _ in compose_settings()}
    for_tests = {"HEMATOVISION_SECRETS"}
    assert set(re.findall(r"\$\{(\w+)", TEXT)) - for_tests == example.keys() - {"COMPOSE_PROFILES"}
    # A port that is named is part of the address, so the usual one is not.
    shown = {name: example[name] for name in defaults().keys() - for_tests - {"HEMATOVISION_HTTPS_PORT"}}
    assert {name: defaults()[name] for name in shown} == shown


def test_files_that_are_mounted_are_there() -> None:
    mounts = re.findall(r"^      - (\./\S+?):\S+:ro$", TEXT, re.MULTILINE)
    assert len(mounts) > 5
    assert [path for path in mounts if path != "./certificates" and not (ROOT / path).exists()] == []
