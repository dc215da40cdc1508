"""start.py: set-up that happens once, survives interruption, and hands over."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def loaded(root: Path) -> ModuleType:
    """start.py as if it lay in ``root``."""
    spec = importlib.util.spec_from_file_location("start_under_test", root / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SIDE_BY_SIDE = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A tiny project with the real start.py: nothing to fetch, but installed as the real one is."""
    (tmp_path / "start.py").write_text((ROOT / "start.py").read_text())
    (tmp_path / "requirements.txt").write_text("# nothing==1.0\n")
    (tmp_path / "etlml").mkdir()
    (tmp_path / "etlml" / "__init__.py").write_text("")
    (tmp_path / "etlml" / "cli.py").write_text(
        "import sys\nprint('etlml', *sys.argv[1:])\nsys.exit(7 if 'fail' in sys.argv else 0)\n"
    )
    return tmp_path


@pytest.fixture
def start(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, with what fetches packages counted and left out."""
    module = loaded(checkout)
    module.installs = []  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "install_packages", lambda venv: module.installs.append("packages"))
    monkeypatch.setattr(module, "install_project", lambda venv: module.installs.append("project"))
    monkeypatch.setattr(module, "make_environment", make_quick_environment(module))
    return module


def make_quick_environment(module: ModuleType):  # type: ignore[no-untyped-def]
    def make(venv: Path) -> None:
        python = module.venv_python(venv)
        if not python.exists():
            python.parent.mkdir(parents=True, exist_ok=True)
            python.symlink_to(sys.executable)
            (venv / "pyvenv.cfg").write_text(f"version = {sys.version_info[0]}.{sys.version_info[1]}.0\n")
            module.installs.append("environment")

    return make


def test_a_second_start_skips_the_set_up(start: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    start.set_up()
    assert start.installs == ["environment", "packages", "project"]
    assert "the next start skips this" in capsys.readouterr().out
    start.set_up()
    assert len(start.installs) == 3
    assert capsys.readouterr().out == ""


def test_changed_requirements_are_installed_over(start: ModuleType, checkout: Path) -> None:
    start.set_up()
    (checkout / "requirements.txt").write_text("# other==2.0\n")
    start.set_up()
    assert start.installs[3:] == ["packages", "project"]


def test_another_python_makes_the_environment_again(start: ModuleType) -> None:
    start.set_up()
    (start.VENV / "pyvenv.cfg").write_text("version = 3.9.1\n")
    (start.VENV / start.STAMP).write_text("of another Python")
    (start.VENV / "left over").touch()
    start.set_up()
    assert start.installs[3:] == ["environment", "packages", "project"]
    assert not (start.VENV / "left over").exists()


def test_a_python_that_is_gone_makes_the_environment_again(start: ModuleType) -> None:
    start.set_up()
    python = start.venv_python(start.VENV)
    python.unlink()
    python.symlink_to("/no/such/python")
    start.set_up()
    assert start.installs[3:] == ["environment", "packages", "project"]


def test_a_set_up_that_was_interrupted_is_started_over(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(venv: Path) -> None:
        (venv / "half a package").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(start, "install_packages", interrupted)
        with pytest.raises(KeyboardInterrupt):
            start.set_up()
    start.set_up()
    assert "interrupted; starting it over" in capsys.readouterr().out
    assert not (start.VENV / "half a package").exists()
    assert start.installs[-3:] == ["environment", "packages", "project"]


def test_a_failed_set_up_says_why_and_exits_with_1(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(venv: Path) -> None:
        start.command("pip", [sys.executable, "-c", "import sys; sys.exit('no network')"], quiet=True)

    monkeypatch.setattr(start, "install_packages", fail)
    assert start.main(["setup"]) == 1
    assert "pip failed with exit code 1\n    no network" in capsys.readouterr().err


def test_pip_takes_over_where_uv_cannot_be_had(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = loaded(checkout)
    ran: list[list[str]] = []

    def command(what: str, arguments: list[str], *, quiet: bool = False) -> None:
        ran.append(arguments)
        if "uv" in arguments or module.UV in arguments:
            raise module.SetupFailed("Fetching uv failed")

    monkeypatch.setattr(module, "command", command)
    module.install_packages(checkout / ".venv")
    assert ran[-1][1:4] == ["-m", "pip", "install"]
    assert ran[-1][-2:] == ["-r", str(checkout / "requirements.txt")]
    assert "Fetching uv failed" in capsys.readouterr().out


def test_two_set_ups_at_once_take_turns(checkout: Path) -> None:
    module = loaded(checkout)
    hold = (
        "import importlib.util, sys, time\n"
        "spec = importlib.util.spec_from_file_location('start', 'start.py')\n"
        "start = importlib.util.module_from_spec(spec); spec.loader.exec_module(start)\n"
        "with start.only_one_at_a_time(start.VENV):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", hold], cwd=checkout, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        began = time.monotonic()
        killer = subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.5); os.kill({holder.pid}, 9)"])
        with module.only_one_at_a_time(module.VENV):
            assert time.monotonic() - began > 0.3
        killer.wait()


@pytest.mark.parametrize(
    ("arguments", "becomes"),
    [
        ([], ["-m", "etlml.cli", "up"]),
        (["--no-browser", "--port", "9000"], ["-m", "etlml.cli", "up", "--no-browser", "--port", "9000"]),
        (["run", "flights", "--wait"], ["-m", "etlml.cli", "run", "flights", "--wait"]),
        (["test"], ["-m", "pytest", *SIDE_BY_SIDE]),
        (["test", "-k", "cron"], ["-m", "pytest", *SIDE_BY_SIDE, "-k", "cron"]),
        (["test", "--fast", "-x"], ["-m", "pytest", *SIDE_BY_SIDE, "--fast", "-x"]),
    ],
)
def test_arguments_are_handed_over(start: ModuleType, arguments: list[str], becomes: list[str]) -> None:
    assert start.program(arguments) == [str(start.venv_python(start.VENV)), *becomes]


@pytest.mark.parametrize(("told", "prefix"), [({}, None), ({"PYTHONDONTWRITEBYTECODE": "1"}, ".venv/.etlml-compiled")])
def test_compiled_modules_are_kept_even_where_none_may_lie_beside_the_sources(
    start: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], prefix: str | None
) -> None:
    environment = dict(told)
    monkeypatch.setattr(os, "environ", environment)
    start.keep_compiled(start.VENV)
    assert environment == ({"PYTHONPYCACHEPREFIX": str(checkout / prefix)} if prefix else {})


def test_help_needs_no_set_up(start: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["--help"]) == 0
    assert "python start.py test" in capsys.readouterr().out
    assert start.installs == []


def test_an_old_python_is_told_what_it_needs(checkout: Path) -> None:
    code = (checkout / "start.py").read_text().replace("import sys\n", "import sys\nsys.version_info = (3, 9, 1)\n", 1)
    (checkout / "start.py").write_text(code)
    done = subprocess.run([sys.executable, "start.py"], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is 3.9" in done.stderr
    assert "Traceback" not in done.stderr


def test_start_is_written_so_that_old_pythons_can_read_the_refusal() -> None:
    import ast

    ast.parse((ROOT / "start.py").read_text(), feature_version=(3, 7))


@pytest.mark.slow
def test_the_whole_way_with_a_real_environment(checkout: Path) -> None:
    """A real venv, killed in the middle of the first set-up, repaired by the second start, skipped by the third."""
    command = [sys.executable, "start.py"]
    environment = {**os.environ, "PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )

    with subprocess.Popen([*command, "setup"], cwd=checkout, env=environment, start_new_session=True) as first:
        while not (checkout / ".venv" / "pyvenv.cfg").exists():
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGKILL)
    repaired = run("run", "something", "--wait")
    assert "interrupted; starting it over" in repaired.stdout
    assert repaired.stdout.splitlines()[-1] == "etlml run something --wait"
    third = run("fail")
    assert third.returncode == 7
    assert third.stdout == "etlml fail\n"
