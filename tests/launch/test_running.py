"""One supervisor a home folder, whatever became of the last one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from etlml.errors import StateConflict
from etlml.launch.running import Process, Running, UpState, read_state

HOLD = """
import sys, time
from pathlib import Path
from etlml.launch.running import Running, UpState
running = Running(Path(sys.argv[1]))
running.write(UpState(dashboard="http://127.0.0.1:8501", api="http://127.0.0.1:8000/api/docs"))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Another process that holds the home folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "held"
        yield process
        process.kill()


def test_a_second_one_is_told_where_the_first_one_is(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(
        StateConflict, match=rf"already running on .*: http://127.0.0.1:8501 .*process {holder.pid}"
    ) as caught:
        Running(tmp_path)
    assert caught.value.details["dashboard"] == "http://127.0.0.1:8501"


def test_one_that_was_killed_does_not_hold_the_folder(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert read_state(tmp_path) is not None
    running = Running(tmp_path)
    assert read_state(tmp_path) is None
    running.release()


def test_what_a_killed_one_left_running_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as orphan:
        state = UpState(processes={"worker": Process.of(orphan.pid)})
        first = Running(tmp_path)
        first.write(state)
        first._lock.release()
        Running(tmp_path).release()
        orphan.wait(timeout=10)


def test_a_later_process_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        born = psutil.Process(stranger.pid).create_time() - 1000
        first = Running(tmp_path)
        first.write(UpState(processes={"worker": Process(stranger.pid, born)}))
        first._lock.release()
        Running(tmp_path).release()
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"processes": {"api": 1}}', '{"unknown": 1}'])
def test_a_damaged_file_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "up.json").write_text(text)
    assert read_state(tmp_path) is None
    Running(tmp_path).release()


def test_the_file_holds_no_secret_and_is_gone_afterwards(tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.write(UpState(dashboard="http://127.0.0.1:1", processes={"up": Process.of(os.getpid())}))
    assert set(json.loads((tmp_path / "up.json").read_text())) == {"dashboard", "api", "pid", "started_at", "processes"}
    running.release()
    assert not (tmp_path / "up.json").exists()
