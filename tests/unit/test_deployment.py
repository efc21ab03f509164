"""The containers' files: a compose implementation accepts them, and they agree with what the local stack runs."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from deploy.local.databases import database_dsn
from deploy.local.docker import KAFKA_IMAGE, POSTGRES_IMAGE, kafka_environment
from deploy.local.infrastructure import CHECKOUT
from deploy.local.kafka import KAFKA_HEAP, KAFKA_SETTINGS
from deploy.local.postgres import POSTGRES_INITDB, POSTGRES_SETTINGS
from deploy.local.secret_book import SecretBook
from deploy.local.services import (
    PROCESSES,
    SERVICES,
    ServiceAddresses,
    run_arguments,
    service_command,
    service_environment,
    service_of,
)

DEPLOY = CHECKOUT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
EXAMPLE = DEPLOY / ".env.example"
SECRET = "a-secret-of-more-than-32-characters"


def example_variables() -> dict[str, str]:
    lines = EXAMPLE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose_config(directory: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What podman-compose makes of the file. It asks the engine for nothing but its version, so that is all it gets."""
    engine = directory / "podman"
    engine.write_text("#!/bin/sh\necho podman version 5.0.0\n")
    engine.chmod(0o755)
    settings = directory / "env"
    settings.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    program = Path(sys.executable).with_name("podman-compose")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    return subprocess.run(
        [program, "--env-file", settings, "--file", COMPOSE, "config"],
        capture_output=True,
        text=True,
        check=False,
        env={**inherited, "PATH": f"{directory}:{os.environ['PATH']}"},
    )


def secrets() -> list[str]:
    """The variables that the file wants and has no default for."""
    return sorted(set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text())))


def filled_variables() -> dict[str, str]:
    """Those of the example, with every secret filled in."""
    return example_variables() | dict.fromkeys(secrets(), SECRET)


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    answer = compose_config(tmp_path_factory.mktemp("compose"), filled_variables())
    assert answer.returncode == 0, answer.stderr
    config: dict[str, Any] = yaml.safe_load(answer.stdout)
    return config


def options(command: list[str]) -> dict[str, str]:
    return dict(part.split("=", 1) for part in command if "=" in part)


def test_an_empty_secret_is_refused_by_name(tmp_path: Path) -> None:
    assert len(secrets()) == 8
    for name in secrets():
        answer = compose_config(tmp_path, {**filled_variables(), name: ""})
        assert answer.returncode != 0
        assert "set it in .env" in answer.stderr + answer.stdout


def test_the_example_lists_every_variable_of_the_file_and_no_other() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    assert used == set(example_variables())


def test_defaults_of_the_file_are_those_of_the_example() -> None:
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE.read_text()))
    given = {name: value for name, value in example_variables().items() if name not in secrets()}
    assert defaults == given


def test_kafka_is_the_one_of_the_local_stack(compose: dict[str, Any]) -> None:
    kafka = compose["services"]["kafka"]
    assert kafka["image"] == KAFKA_IMAGE
    wanted = {**kafka_environment(KAFKA_SETTINGS), "KAFKA_HEAP_OPTS": " ".join(KAFKA_HEAP)}
    assert {name: str(kafka["environment"].get(name)) for name in wanted} == wanted
    assert len(kafka["environment"]["CLUSTER_ID"]) == 22


def test_postgres_is_configured_as_in_the_local_stack(compose: dict[str, Any]) -> None:
    postgres = compose["services"]["postgres"]
    assert postgres["image"] == POSTGRES_IMAGE
    assert options(postgres["command"]) == dict(POSTGRES_SETTINGS)
    assert postgres["environment"]["POSTGRES_INITDB_ARGS"] == " ".join(POSTGRES_INITDB)
    assert "postgres-data:/var/lib/postgresql" in str(postgres["volumes"])


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_gets_the_variables_that_the_local_stack_gives(
    process: str, compose: dict[str, Any], tmp_path: Path
) -> None:
    service = service_of(process)
    addresses = ServiceAddresses("kafka:9092", dict.fromkeys(SERVICES, "dsn"), dict.fromkeys(PROCESSES, 8080))
    local = set(service_environment(process, addresses, SecretBook(tmp_path / "secrets"))) - {"PYTHONUNBUFFERED"}
    for name in (process, f"migrate-{service}"):
        environment = compose["services"][name]["environment"]
        assert local - ({"RAPPORT_PROCESS"} if name != process else set()) <= set(environment)
        dsn = environment["RAPPORT_DATABASE"]
        assert dsn == database_dsn("postgresql://postgres:5432/postgres", f"rapport_{service}", SECRET)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_read_its_settings_from_its_variables(
    service: str, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in compose["services"][service]["environment"].items():
        monkeypatch.setenv(name, str(value))
    module = importlib.import_module(f"rapport_{service}.settings")
    settings: type[BaseSettings] = getattr(module, f"{service.capitalize()}Settings")
    assert settings().model_dump()["environment"] == "production"


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_starts_when_topics_and_migrations_are_done(process: str, compose: dict[str, Any]) -> None:
    services, service = compose["services"], service_of(process)
    done, healthy = "service_completed_successfully", "service_healthy"
    conditions = {name: needed["condition"] for name, needed in services[process]["depends_on"].items()}
    assert conditions == {"kafka": healthy, "topics": done, f"migrate-{service}": done}
    assert services[f"migrate-{service}"]["depends_on"]["postgres"]["condition"] == healthy
    assert services["topics"]["depends_on"]["kafka"]["condition"] == healthy
    assert services[process]["healthcheck"]["test"][-1].count("/readyz") == 1


@pytest.mark.parametrize("process", PROCESSES)
def test_the_image_runs_the_commands_of_the_local_stack(process: str, compose: dict[str, Any]) -> None:
    services, service = compose["services"], service_of(process)
    for name in (process, f"migrate-{service}"):
        assert services[name]["image"] == f"rapport-{service}"
        assert services[name]["build"]["args"] == [f"SERVICE={service}"]
    assert services[process]["command"] == list(run_arguments(process))
    assert services[f"migrate-{service}"]["command"] == ["migrate"]
    assert services["topics"]["entrypoint"] + services["topics"]["command"] == ["rapport", "topics", "apply", "--yes"]
    assert service_command(service)[1:] == ("-m", f"rapport_{service}")
    assert r"exec python -m rapport_%s" in (DEPLOY / "Dockerfile").read_text()


def test_only_the_gateway_and_kafka_are_published(compose: dict[str, Any]) -> None:
    published = {name for name, service in compose["services"].items() if service.get("ports")}
    assert published == {"gateway", "kafka"}


def test_the_image_is_of_the_tested_python_and_the_same_uv_and_has_no_rights() -> None:
    recipe = (DEPLOY / "Dockerfile").read_text()
    version = re.search(r"ARG PYTHON_VERSION=(\d+\.\d+)", recipe)
    assert version is not None
    assert f'requires-python = ">={version[1]}"' in (CHECKOUT / "pyproject.toml").read_text()
    uv = re.search(r"'(uv[^']+)'", recipe)
    assert uv is not None
    assert uv[1] in (CHECKOUT / "Makefile").read_text()
    assert re.search(r"^USER 10001$", recipe, re.MULTILINE)


def test_the_image_is_built_with_the_project_files_of_every_member_of_the_workspace() -> None:
    recipe = (DEPLOY / "Dockerfile").read_text()
    for member in ("shared", *(f"services/{service}" for service in SERVICES)):
        assert f"COPY {member}/pyproject.toml {member}/" in recipe


def test_the_database_script_knows_every_service() -> None:
    script = (DEPLOY / "postgres" / "databases.sh").read_text()
    made = re.findall(r'^make_database (\w+) "\$\{RAPPORT_(\w+)_PASSWORD:\?\}"', script, re.MULTILINE)
    assert made == [(service, service.upper()) for service in SERVICES]
