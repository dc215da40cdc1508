"""What ships the project: the Dockerfile, the compose file, the unit, the check of a clean checkout."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from etlml.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
INSTRUCTIONS = {"FROM", "RUN", "ENV", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD", "STOPSIGNAL"}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continuation lines joined."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in lines]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


def test_dockerfile_uses_known_instructions_in_two_stages() -> None:
    assert {name for name, _ in instructions()} <= INSTRUCTIONS
    assert [rest for name, rest in instructions() if name == "FROM"] == [
        "python:3.11-slim-bookworm AS build",
        "python:3.11-slim-bookworm",
    ]


def test_every_path_that_is_copied_exists_and_is_let_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in let_through, source


def test_everything_that_the_app_needs_is_copied() -> None:
    copied = " ".join(rest for name, rest in instructions() if name == "COPY").split()
    assert {"etlml", "api", "pages", "examples", "app.py", ".streamlit", "pyproject.toml", "requirements.txt"} <= set(
        copied
    )


def test_the_last_stage_runs_as_nobody_special_without_build_tools() -> None:
    stage = dict(last_stage())
    assert stage["USER"] == "etlml"
    runs = " ".join(rest for name, rest in last_stage() if name == "RUN")
    assert not re.search(r"\b(gcc|g\+\+|build-essential|make|uv|pip|git|curl)\b", runs)


def test_the_health_check_is_python_that_compiles() -> None:
    command = json.loads(dict(last_stage())["HEALTHCHECK"].partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "health", "exec")


def test_settings_in_the_image_and_the_compose_file_are_settings() -> None:
    known = {f"ETLML_{name.upper()}" for name in Settings.model_fields}
    environment = dict(last_stage())["ENV"]
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    unit = (ROOT / "deploy" / "etlml.service").read_text()
    for text in (environment, compose, unit):
        assert set(re.findall(r"\bETLML_[A-Z_]+\b", text)) <= known


def test_the_data_of_a_container_are_in_its_volume() -> None:
    stage = dict(last_stage())
    assert "ETLML_HOME=/data" in stage["ENV"].split()
    assert stage["VOLUME"] == "/data"
    service = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]["etlml"]
    assert service["volumes"] == ["data:/data"]
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])


def test_the_unit_gives_the_supervisor_time_to_stop_the_others() -> None:
    unit = (ROOT / "deploy" / "etlml.service").read_text()
    assert "KillMode=mixed" in unit
    assert "up --no-browser" in unit


@pytest.mark.skipif(os.name == "nt", reason="bash checks its own syntax")
def test_the_check_of_a_clean_checkout_is_executable_bash() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
