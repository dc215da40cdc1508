"""What a pool of child processes must do; all with real processes."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from etlml.compute import children as children_module
from etlml.compute.children import Children
from etlml.errors import (
    ColumnMissing,
    MemoryExceeded,
    PythonFailed,
    StepCancelled,
    StepError,
    StepTimeout,
)

pytestmark = pytest.mark.slow

Report = Callable[[dict[str, Any]], None]
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and forks are POSIX")


# What the children call; the module is imported in the child by its name.


def double(value: Any, report: Report) -> Any:
    return value * 2


def process_id(report: Report) -> int:
    return os.getpid()


def report_some(count: int, report: Report) -> None:
    for number in range(count):
        report({"number": number})


def print_some(report: Report) -> None:
    print("from print")
    print("without a line end", end="", file=sys.stderr)
    os.write(1, b"from native code\n")
    subprocess.run([sys.executable, "-c", "print('from a subprocess')"], check=True)


def print_much(lines: int, report: Report) -> None:
    for number in range(lines):
        print(number)


def fail(kind: str, report: Report) -> None:
    if kind == "ours":
        raise ColumnMissing("delay", ["dep_delay"], where="the model's input")
    if kind == "memory":
        raise MemoryError("Unable to allocate 9 PiB")
    if kind == "exit":
        sys.exit(3)
    if kind == "die":
        os._exit(7)
    raise ValueError("the password=hunter22 is wrong")


def unpicklable(report: Report) -> Any:
    return threading.Lock()


def huge(report: Report) -> Any:
    return b"x" * (65 * 2**20)


def sleep_with_child(seconds: float, report: Report) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    detached = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    report({"pids": [os.getpid(), process.pid, detached.pid]})
    time.sleep(seconds)


def leave_child_behind(report: Report) -> int:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid


def take_memory(megabytes: int, report: Report) -> None:
    taken = [bytearray(os.urandom(2**20)) for _ in range(megabytes)]
    time.sleep(20)
    taken.clear()


def disturb(folder: str, report: Report) -> None:
    os.environ["DISTURBED"] = "yes"
    os.chdir(folder)
    sys.stdout = None  # type: ignore[assignment]


def surroundings(report: Report) -> tuple[str | None, str]:
    print("still printed")
    return os.environ.get("DISTURBED"), str(Path.cwd())


def secrets_in_environment(report: Report) -> list[str]:
    return [name for name in os.environ if name.startswith("ETLML_SECRET")]


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children(1, warm=()) as pool:
        yield pool


def run(pool: Children, function: Callable[..., Any], /, **arguments: Any) -> Any:
    limits = {
        name: arguments.pop(name)
        for name in ("on_message", "cancelled", "timeout_s", "memory_bytes")
        if name in arguments
    }
    return pool.run(f"{__name__}:{function.__name__}", arguments, **limits)


def wait_until(claim: Callable[[], bool], *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


def child_processes() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it is ending just now
            if "etlml.compute.child_main" in child.cmdline():
                found.append(child)
    return found


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


class TestCalls:
    def test_run_gives_back_what_the_function_returns(self, children: Children) -> None:
        assert run(children, double, value=21) == 42

    def test_run_uses_one_child_for_many_calls(self, children: Children) -> None:
        assert len({run(children, process_id) for _ in range(5)}) == 1

    def test_a_child_is_replaced_after_so_many_calls(self, children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(children_module, "CALLS", 2)
        pids = [run(children, process_id) for _ in range(5)]
        assert len(set(pids)) == 3

    def test_a_child_that_holds_much_memory_is_replaced(
        self, children: Children, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(children_module, "RESIDENT_BYTES", 1)
        assert run(children, process_id) != run(children, process_id)

    def test_a_warm_call_costs_little(self, children: Children) -> None:
        run(children, double, value=1)
        time.sleep(0.3)
        took = []
        for _ in range(10):
            started = time.monotonic()
            run(children, double, value=1)
            took.append(time.monotonic() - started)
        assert min(took) < 0.05

    def test_messages_arrive_in_order(self, children: Children) -> None:
        messages: list[dict[str, Any]] = []
        run(children, report_some, count=100, on_message=messages.append)
        assert messages == [{"number": number} for number in range(100)]

    def test_everything_printed_becomes_log_messages_of_that_call(self, children: Children) -> None:
        messages: list[dict[str, Any]] = []
        run(children, print_some, on_message=messages.append)
        assert {"log": "INFO", "message": "from print"} in messages
        assert {"log": "WARNING", "message": "without a line end"} in messages
        assert {"log": "INFO", "message": "from native code"} in messages
        assert {"log": "INFO", "message": "from a subprocess"} in messages
        later: list[dict[str, Any]] = []
        run(children, double, value=1, on_message=later.append)
        assert later == []

    def test_a_flood_of_output_is_cut_with_a_count(self, children: Children) -> None:
        messages: list[dict[str, Any]] = []
        run(children, print_much, lines=5_100, on_message=messages.append)
        assert len(messages) == 5_001
        assert messages[-1]["message"] == "100 further lines of output were left out."

    def test_environment_folder_and_output_are_put_back_after_a_call(self, children: Children, tmp_path: Path) -> None:
        run(children, disturb, folder=str(tmp_path))
        messages: list[dict[str, Any]] = []
        assert run(children, surroundings, on_message=messages.append) == (None, str(Path.cwd()))
        assert messages == [{"log": "INFO", "message": "still printed"}]

    def test_relative_paths_start_at_the_folder(self, tmp_path: Path) -> None:
        with Children(1, tmp_path, warm=()) as pool:
            assert run(pool, surroundings)[1] == str(tmp_path.resolve())

    def test_secrets_of_the_environment_stay_in_the_parent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ETLML_SECRET_BANK", "hunter22")
        monkeypatch.setenv("ETLML_SECRET_KEY", "hunter22")
        with Children(1, warm=()) as pool:
            assert run(pool, secrets_in_environment) == []


class TestFailures:
    def test_our_errors_arrive_whole(self, children: Children) -> None:
        with pytest.raises(ColumnMissing, match="Did you mean 'dep_delay'") as caught:
            run(children, fail, kind="ours")
        assert caught.value.details["column"] == "delay"

    def test_other_errors_arrive_as_python_failed_with_the_frames_of_that_code(self, children: Children) -> None:
        with pytest.raises(PythonFailed, match="ValueError") as caught:
            run(children, fail, kind="value")
        assert "test_children.py" in caught.value.details["traceback"]
        assert "child_main" not in caught.value.details["traceback"]
        assert "hunter22" not in str(caught.value)
        assert "hunter22" not in caught.value.details["traceback"].splitlines()[-1]

    def test_a_memory_error_is_memory_exceeded(self, children: Children) -> None:
        with pytest.raises(MemoryExceeded, match="9 PiB"):
            run(children, fail, kind="memory")

    def test_exit_is_an_error_of_the_code_and_the_child_lives_on(self, children: Children) -> None:
        pid = run(children, process_id)
        with pytest.raises(PythonFailed, match=r"exit\(3\)"):
            run(children, fail, kind="exit")
        assert run(children, process_id) == pid

    def test_a_child_that_dies_is_said_to_have_died_and_is_replaced(self, children: Children) -> None:
        with pytest.raises(StepError, match="ended with exit code 7"):
            run(children, fail, kind="die")
        assert run(children, double, value=2) == 4

    @posix_only
    def test_a_child_that_is_killed_from_outside_is_replaced(self, children: Children) -> None:
        pids: list[int] = []

        def on_message(message: dict[str, Any]) -> None:
            pids.extend(message["pids"])
            os.kill(pids[0], signal.SIGKILL)

        with pytest.raises(StepError, match="killed by signal 9"):
            run(children, sleep_with_child, seconds=20, on_message=on_message)
        assert all(gone(pid) for pid in pids)
        assert run(children, double, value=2) == 4

    @posix_only
    def test_a_child_that_is_killed_while_idle_is_replaced_and_leaves_no_zombie(self, children: Children) -> None:
        pid = run(children, process_id)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(pid), within_s=2)
        assert run(children, process_id) != pid

    @pytest.mark.parametrize(("function", "reason"), [(unpicklable, "cannot be sent back"), (huge, "write a file")])
    def test_a_result_that_cannot_travel_is_refused(self, children: Children, function: Any, reason: str) -> None:
        with pytest.raises(PythonFailed, match=reason):
            run(children, function)
        assert run(children, double, value=1) == 2

    def test_arguments_that_cannot_travel_are_refused(self, children: Children) -> None:
        with pytest.raises(PythonFailed, match="cannot be sent to a child"):
            run(children, double, value=threading.Lock())

    def test_what_on_message_raises_ends_the_call(self, children: Children) -> None:
        def refuse(message: dict[str, Any]) -> None:
            raise StepError("no room for messages")

        with pytest.raises(StepError, match="no room"):
            run(children, report_some, count=3, on_message=refuse)
        assert run(children, double, value=1) == 2


class TestLimits:
    def test_cancel_ends_the_child_and_its_children_within_a_second(self, children: Children) -> None:
        pids: list[int] = []
        started_at: list[float] = []

        def on_message(message: dict[str, Any]) -> None:
            pids.extend(message["pids"])
            started_at.append(time.monotonic())

        with pytest.raises(StepCancelled):
            run(children, sleep_with_child, seconds=30, on_message=on_message, cancelled=lambda: bool(pids))
        assert time.monotonic() - started_at[0] < 1
        assert all(gone(pid) for pid in pids)

    def test_timeout_ends_the_child_and_its_children(self, children: Children) -> None:
        run(children, double, value=1)
        pids: list[int] = []
        with pytest.raises(StepTimeout, match=r"time limit of 0\.5 s"):
            run(
                children,
                sleep_with_child,
                seconds=30,
                timeout_s=0.5,
                on_message=lambda message: pids.extend(message["pids"]),
            )
        assert len(pids) == 3
        assert all(gone(pid) for pid in pids)

    def test_memory_over_the_cap_ends_the_child_with_the_figures(self, children: Children) -> None:
        with pytest.raises(MemoryExceeded, match="more than its cap of 157 MB") as caught:
            run(children, take_memory, megabytes=400, memory_bytes=150 * 2**20)
        assert caught.value.details["cap_bytes"] == 150 * 2**20
        assert caught.value.details["peak_bytes"] > 150 * 2**20
        assert run(children, double, value=1) == 2

    def test_processes_that_a_call_leaves_behind_are_ended(self, children: Children) -> None:
        pid = run(children, leave_child_behind)
        assert gone(pid)

    def test_no_more_than_size_calls_go_on_at_once_and_the_others_wait(self) -> None:
        others = len(child_processes())
        with Children(2, warm=()) as pool:
            pids: list[int] = []
            threads = [
                threading.Thread(
                    target=lambda: run(
                        pool, sleep_with_child, seconds=0.3, on_message=lambda m: pids.append(m["pids"][0])
                    )
                )
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                assert len(child_processes()) <= 2 + others
                time.sleep(0.05)
            assert len(pids) == 4

    def test_waiting_for_a_child_can_be_cancelled(self, children: Children) -> None:
        stop = threading.Event()

        def occupy() -> None:
            with pytest.raises(StepCancelled):
                run(children, sleep_with_child, seconds=30, cancelled=stop.is_set, on_message=lambda _: None)

        thread = threading.Thread(target=occupy)
        thread.start()
        wait_until(lambda: bool(children._busy), within_s=2)
        started = time.monotonic()
        with pytest.raises(StepCancelled):
            run(children, double, value=1, cancelled=lambda: time.monotonic() - started > 0.2)
        assert time.monotonic() - started < 1
        stop.set()
        thread.join()


class TestLife:
    def test_close_ends_all_children_and_later_calls_are_refused(self) -> None:
        pool = Children(1, warm=())
        pid = run(pool, process_id)
        pool.close()
        assert not psutil.pid_exists(pid)
        with pytest.raises(StepError, match="going down"):
            run(pool, double, value=1)

    def test_modules_are_imported_in_advance(self) -> None:
        with Children(1, warm=("wave",)) as pool:
            deadline = time.monotonic() + 30
            while not run(pool, imported, name="wave"):
                assert time.monotonic() < deadline
                time.sleep(0.2)

    @posix_only
    def test_children_end_by_themselves_when_the_parent_is_killed(self, tmp_path: Path) -> None:
        """The parent is a plain script without a main guard, which spawn would have run again in the child."""
        script = tmp_path / "parent.py"
        script.write_text(
            textwrap.dedent(f"""
            import sys
            sys.path.insert(0, {str(Path(__file__).parent)!r})
            print("the script ran", flush=True)
            from etlml.compute.children import Children
            show = lambda message: print(message["pids"], flush=True)
            Children(1, warm=()).run("test_children:sleep_with_child", {{"seconds": 60}}, on_message=show)
            """),
            encoding="utf-8",
        )
        parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "the script ran\n"
            pids = [int(text) for text in parent.stdout.readline().strip(" []\n").split(",")]
        finally:
            parent.kill()
            parent.wait()
            parent.stdout.close()
        wait_until(lambda: all(gone(pid) for pid in pids), within_s=3)


def imported(name: str, report: Report) -> bool:
    return name in sys.modules
