"""The environment, its example, the compose file and the Makefile say the same."""

import re
import shutil
import subprocess
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpdesk.env import Env
from helpdesk.runtime.roles import ROLES

ROOT = Path(__file__).parents[2]
VARIABLES = {field.name.upper(): field.default for field in fields(Env)}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
# What a container of the desk cannot use: no demo on a public address, one name for the broker.
NOT_IN_CONTAINERS = {"DEMO_PASSWORD", "REDIS_URL"}
ONLY_COMPOSE = {"POSTGRES_PASSWORD"}


def examples() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_example_names_every_variable_and_no_other() -> None:
    assert set(examples()) == set(VARIABLES) | ONLY_COMPOSE


def test_the_example_shows_the_real_defaults() -> None:
    shown = examples()
    for name, default in VARIABLES.items():
        if isinstance(default, bool | int):
            assert shown[name] == str(int(default)), name
        elif name in {"HOST", "DEMO_PASSWORD", "HELPDESK_VAR_DIR"}:
            assert shown[name] == str(default), name


def test_every_variable_has_a_default_so_that_make_run_needs_none() -> None:
    assert not [name for name, default in VARIABLES.items() if default is MISSING]


def test_every_role_is_a_service_that_gets_every_variable() -> None:
    for role in ROLES:
        service = COMPOSE["services"][role]
        assert service["command"] == [role]
        assert set(service["environment"]) - {"FORWARDED_ALLOW_IPS"} == set(VARIABLES) - NOT_IN_CONTAINERS


def test_compose_reads_no_variable_the_example_does_not_name() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert read <= set(examples())


def test_roles_wait_for_the_migration_and_data_outlives_containers() -> None:
    for role in ROLES:
        assert COMPOSE["services"][role]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    kept = {
        volume.split(":")[0]
        for name in ("web", "postgres", "valkey")
        for volume in COMPOSE["services"][name]["volumes"]
    }
    assert kept == set(COMPOSE["volumes"])
    for name in ("postgres", "valkey", "web", "mail"):
        assert COMPOSE["services"][name]["healthcheck"]["test"], name


def test_only_the_proxy_and_the_mail_listener_are_published_so_that_the_others_scale() -> None:
    assert {name for name, service in COMPOSE["services"].items() if "ports" in service} == {"proxy", "mail"}


def compose_command() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version"], capture_output=True, check=False)
            if done.returncode == 0:
                return command
    return None


def test_compose_accepts_its_file() -> None:
    command = compose_command()
    if command is None:
        pytest.skip("neither `docker compose` nor docker-compose is installed")
    done = subprocess.run(
        [*command, "-f", "docker-compose.yml", "config"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {*ROLES, "postgres", "valkey", "migrate", "proxy"}
    assert services["web"]["environment"]["DATABASE_URL"] == "postgresql://helpdesk:helpdesk@postgres:5432/helpdesk"


def test_make_help_lists_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"make ([a-z-]+)", done.stdout))
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert listed == set(phony[1].split()) - {"browser", "catalogs"}


def test_the_image_installs_the_pinned_set_and_is_no_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "pip install -r requirements.txt" in text
    assert text.index("USER desk") < text.index("ENTRYPOINT")
