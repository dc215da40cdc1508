"""The root: version, help, exit codes, the errors of the outside world."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from etlml import __version__
from etlml.cli.options import pairs
from etlml.settings import get_settings
from tests.cli.conftest import Etlml


def test_version(etlml: Etlml) -> None:
    assert etlml("--version").out == f"etlml {__version__}\n"


def test_unknown_commands_and_options_are_wrong_use(etlml: Etlml) -> None:
    for arguments in (["nothing"], ["runs", "--nothing"], ["run"]):
        done = etlml(*arguments)
        assert (done.code, done.out, "Traceback" in done.err) == (2, "", False)


def test_a_mongodb_that_is_away_is_one_line_and_exit_code_1(etlml: Etlml, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"mongodb://someone:hunter2-of-cli@127.0.0.1:{port}/?serverSelectionTimeoutMS=100"
    monkeypatch.setenv("ETLML_MONGODB_URI", uri)
    get_settings.cache_clear()
    done = etlml("runs")
    assert done.code == 1
    assert done.err.startswith("Error: ")
    assert len(done.err.splitlines()) == 1
    assert "hunter2" not in done.err


def test_a_setting_that_cannot_be_used_is_named(etlml: Etlml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETLML_PORT", "many")
    get_settings.cache_clear()
    done = etlml("runs")
    assert (done.code, "ETLML_PORT" in done.err) == (2, True)


def test_doctor_finds_this_installation_well(etlml: Etlml) -> None:
    done = etlml("doctor", "--json")
    assert done.code == 0
    assert {"Python", "MongoDB", "DuckDB"} <= {check["name"] for check in done.json}
    assert "MongoDB answers" in etlml("doctor").out


def test_doctor_says_that_mongodb_is_away(etlml: Etlml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETLML_MONGODB_URI", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    get_settings.cache_clear()
    done = etlml("doctor", "--json")
    assert done.code == 1
    assert [check["status"] for check in done.json if check["name"] == "MongoDB"] == ["fail"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1.5", 1.5),
        ("a=true", True),
        ("a=x y", "x y"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ("a={", "{"),
        ("a=[1, 2]", [1, 2]),
    ],
)
def test_pairs_read_values_as_yaml(text: str, value: object) -> None:
    assert pairs([text]) == {"a": value}


@pytest.mark.skipif(os.name == "nt", reason="there is no head")
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m etlml.cli --help | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("Usage: etlml")


@pytest.mark.slow
def test_a_command_starts_the_embedded_mongodb_for_its_time(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETLML_")}
    environment["ETLML_HOME"] = str(tmp_path / "home")
    done = subprocess.run(
        [sys.executable, "-m", "etlml.cli", "runs", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
    assert not any("mongod" in line and str(tmp_path) in line for line in _processes())


def _processes() -> list[str]:
    import psutil

    return [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
