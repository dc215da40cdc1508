"""The embedded server, for real: processes that are killed, ports that are taken, folders that are shared."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from etlml.documents import Run
from etlml.errors import NotFound, Unavailable
from etlml.store import mongod, open_store
from etlml.store.mongod import EmbeddedMongod, find_mongod, mongod_version
from etlml.store.mongod_binary import _packaged
from etlml.store.run_watch import Wakeup

USER = """
import sys, time
from pathlib import Path
from etlml.store.mongod import EmbeddedMongod
server = EmbeddedMongod(Path(sys.argv[1]), ends_with_me=sys.argv[2] == "guarded")
print(server.start(), server.pid, flush=True)
sys.stdin.readline()
server.stop()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a server; whatever still runs on it is killed."""
    yield tmp_path / "mongod"
    for process in psutil.process_iter(["cmdline"]):
        if str(tmp_path / "mongod" / "data") in (process.info["cmdline"] or []):
            process.kill()


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedMongod]:
    """A server that is not started yet, and is stopped in the end."""
    server = EmbeddedMongod(folder, ends_with_me=True)
    yield server
    server.stop()


def another_user(folder: Path, guarded: str = "unguarded") -> tuple[subprocess.Popen[str], str, int]:
    """A process that has started or joined the server: itself, the URI, the server's process id."""
    command = [sys.executable, "-c", USER, str(folder), guarded]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    uri, pid = process.stdout.readline().split()
    return process, uri, int(pid)


def leave(process: subprocess.Popen[str]) -> None:
    """Have a user stop in an orderly way."""
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def gone(pid: int, within_s: float = 10) -> bool:
    """Whether a process has ended, or ends soon."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def port_of(uri: str) -> int:
    return int(uri.split(":")[2].split("/")[0])


@pytest.mark.slow
class TestKilled:
    def test_every_acknowledged_write_is_there_after_kill_9(
        self, server: EmbeddedMongod, a_run: Callable[..., Run]
    ) -> None:
        """Three times, while threads write; the same store goes on with the server that came back."""
        acknowledged: list[str] = []
        stopping = threading.Event()
        with open_store(server.start(), "test") as store:

            def write() -> None:
                while not stopping.is_set():
                    run = a_run()
                    with suppress(Unavailable):
                        store.runs.add(run)
                        acknowledged.append(run.id)

            writers = [threading.Thread(target=write) for _ in range(3)]
            for writer in writers:
                writer.start()
            for _ in range(3):
                time.sleep(0.4)
                pid = server.pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                assert gone(pid)
                assert not server.is_running()
                server.start()
            time.sleep(0.3)
            stopping.set()
            for writer in writers:
                writer.join()
            assert len(acknowledged) > 50
            assert set(store.runs.get_many(acknowledged)) == set(acknowledged)

    def test_a_watcher_goes_on_when_the_server_is_back(self, server: EmbeddedMongod, a_run: Callable[..., Run]) -> None:
        with open_store(server.start(), "test") as store, closing(store.runs.watch(timeout_s=0.2)) as events:
            next(events)
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            restart = threading.Timer(0.5, server.start)
            restart.start()
            while restart.is_alive():
                next(events)
            run = store.runs.add(a_run())
            seen = iter(lambda: next(events), StopIteration)
            # "unknown": the stream was opened anew, so look at everything.
            assert next(event for event in seen if event) in (Wakeup("queued", run.id), Wakeup("unknown"))

    def test_a_store_says_so_while_the_server_is_away(
        self, server: EmbeddedMongod, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("etlml.store.client.TRANSACTION_S", 1.0)
        with open_store(server.start(), "test", serverSelectionTimeoutMS=300) as store:
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            with pytest.raises(Unavailable, match="MongoDB cannot be reached"):
                store.ping(timeout_s=0.5)
            with pytest.raises(Unavailable):
                store.runs.get("r1")
            with pytest.raises(Unavailable):
                store.in_transaction(lambda: store.runs.get("r1"))
            server.start()
            assert store.ping() < 1000
            with pytest.raises(NotFound):
                store.runs.get("r1")


@pytest.mark.slow
class TestPort:
    def test_is_kept_from_start_to_start(self, server: EmbeddedMongod) -> None:
        first = server.start()
        server.stop()
        assert server.start() == first

    def test_moves_on_when_it_is_taken_and_the_data_stay(
        self, server: EmbeddedMongod, a_run: Callable[..., Run]
    ) -> None:
        first = server.start()
        with open_store(first, "test") as store:
            run = store.runs.add(a_run())
        server.stop()
        with _busy_port(port_of(first)):
            second = server.start()
            assert port_of(second) != port_of(first)
            with open_store(second, "test") as store:
                assert store.runs.get(run.id).id == run.id

    def test_is_on_the_loopback_only(self, server: EmbeddedMongod) -> None:
        server.start()
        assert server.pid is not None
        listening = [each.laddr for each in psutil.Process(server.pid).net_connections() if each.status == "LISTEN"]
        assert {address.ip for address in listening} == {"127.0.0.1"}


@pytest.mark.slow
class TestSharing:
    def test_the_last_user_ends_the_server(self, server: EmbeddedMongod, folder: Path) -> None:
        other, uri, pid = another_user(folder)
        assert server.start() == uri
        assert server.pid == pid
        leave(other)
        assert server.is_running()
        server.stop()
        assert gone(pid)

    def test_two_that_start_at_once_get_one_server(self, folder: Path) -> None:
        users: list[tuple[subprocess.Popen[str], str, int]] = []
        threads = [threading.Thread(target=lambda: users.append(another_user(folder))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({pid for _, _, pid in users}) == 1
        for process, _, _ in users:
            leave(process)
        assert gone(users[0][2])

    def test_a_user_that_was_killed_is_not_waited_for(self, server: EmbeddedMongod, folder: Path) -> None:
        other, _, pid = another_user(folder)
        other.kill()
        other.communicate()
        server.start()
        assert server.pid == pid
        server.stop()
        assert gone(pid)

    def test_a_guarded_server_ends_with_its_process(self, folder: Path) -> None:
        other, _, pid = another_user(folder, "guarded")
        other.kill()
        other.communicate()
        assert gone(pid)

    def test_the_folder_is_for_this_user_only(self, server: EmbeddedMongod, folder: Path) -> None:
        server.start()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


class TestRefused:
    @pytest.mark.slow
    def test_a_server_that_is_not_ours_on_the_folder(self, server: EmbeddedMongod, folder: Path) -> None:
        (folder / "data").mkdir(parents=True)
        arguments = ["--dbpath", str(folder / "data"), "--port", "0", "--bind_ip", "127.0.0.1", "--nounixsocket"]
        foreign = subprocess.Popen([str(find_mongod()), *arguments], stdout=subprocess.DEVNULL)
        try:
            while not (folder / "data" / "mongod.lock").exists() or not (folder / "data" / "mongod.lock").read_text():
                time.sleep(0.02)
            with pytest.raises(Unavailable, match=rf"process {foreign.pid}\) uses .*Stop it, or set ETLML_MONGODB_URI"):
                server.start()
        finally:
            foreign.kill()
            foreign.wait()

    def test_a_folder_on_which_another_process_has_been_starting(self, server: EmbeddedMongod, folder: Path) -> None:
        folder.mkdir()
        with FileLock(folder / "start.lock"), pytest.raises(Unavailable, match="Another process has been starting"):
            server.start(timeout_s=0.1)

    @pytest.mark.slow
    @pytest.mark.skipif(os.name != "posix", reason="no process can be stopped and continued")
    def test_a_server_that_stands_still_is_not_waited_for_like_one_that_starts(
        self, server: EmbeddedMongod, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mongod, "_JOIN_S", 0.3)
        server.start()
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(Unavailable, match=r"not become ready within 0\.3 s\. Does it stand still"):
                EmbeddedMongod(folder).start()
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert server.start() == server.uri

    @pytest.mark.slow
    def test_damaged_data_with_the_servers_own_reason(self, server: EmbeddedMongod, folder: Path) -> None:
        server.start()
        server.stop()
        (folder / "data" / "WiredTiger.turtle").write_text("nonsense")
        with pytest.raises(Unavailable, match=r"cannot start: .*\(its log: .*mongod\.log\)|ended while it started: .*"):
            server.start()

    def test_a_machine_without_the_program(self, server: EmbeddedMongod, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr("etlml.store.mongod_binary._PACKAGES", ())
        with pytest.raises(Unavailable, match="No MongoDB server was found"):
            server.start()


class TestProgram:
    def test_says_its_version(self) -> None:
        assert mongod_version(find_mongod())[0].isdigit()

    def test_one_that_does_not_run_is_told(self, tmp_path: Path) -> None:
        broken = tmp_path / "mongod"
        broken.write_text("#!/bin/sh\necho 'libcrypto.so.3 is missing' >&2\nexit 127\n")
        broken.chmod(0o755)
        with pytest.raises(Unavailable, match=r"cannot be run: libcrypto\.so\.3 is missing"):
            mongod_version(broken)

    def test_one_on_path_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "mongod").write_text("")
        (tmp_path / "mongod").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_mongod() == tmp_path / "mongod"

    def test_a_package_that_is_not_installed_has_none(self) -> None:
        assert _packaged("no-such-package-here") is None


class _busy_port:  # noqa: N801 - used like a function
    """Another program listens on the port and hangs up on whoever calls."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen()
        self._thread = threading.Thread(target=self._hang_up, daemon=True)

    def _hang_up(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._socket.accept()
                caller.close()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
