"""The platform as it runs at a user's: a mongod, a worker process, and services that start runs."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from pydantic import SecretStr

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import StepTimeout
from etlml.services import Services
from etlml.settings import Settings
from etlml.store import open_store
from etlml.store.mongod import EmbeddedMongod

READY_S = 60.0
RUN_S = 3600.0
LOOK_S = 5.0


@dataclass
class Platform:
    """A running platform with an empty home."""

    home: Path
    services: Services
    worker: subprocess.Popen[bytes]
    environment: Mapping[str, str]

    @property
    def data(self) -> Path:
        """Where relative paths start."""
        return self.home / "data"

    def create(self, name: str, steps: Sequence[Mapping[str, Any]]) -> str:
        """Save a pipeline whose results are never taken from an earlier run; its id."""
        document = {"name": name, "steps": [{**step, "cache": False} for step in steps]}
        return self.services.pipelines.create(document).id

    def run(self, pipeline: str) -> Run:
        """Run it to its end.

        Raises:
            RuntimeError: It did not succeed.
        """
        run = self.services.runs.start(pipeline)
        deadline = time.monotonic() + RUN_S
        while not run.is_final:
            if self.worker.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{run.pipeline_name}: still {run.status}; the worker's exit code: {self.worker.poll()}"
                )
            with suppress(StepTimeout):
                run = self.services.runs.wait(run.id, LOOK_S)
        if run.status != "success":
            raise RuntimeError(f"{run.pipeline_name}: {run.status}: {run.error}")
        return run

    def work_seconds(self, pipeline: str) -> float:
        """Seconds from the claim to success."""
        run = self.run(pipeline)
        assert run.started_at is not None
        assert run.finished_at is not None
        return (run.finished_at - run.started_at).total_seconds()

    def worker_peak_bytes(self) -> int:
        """The most memory that the worker process has held so far."""
        status = Path(f"/proc/{self.worker.pid}/status")
        if not status.exists():
            return int(psutil.Process(self.worker.pid).memory_info().rss)
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    @contextmanager
    def api(self) -> Iterator[httpx.Client]:
        """A client of the REST API, served by a process of its own."""
        port = _free_port()
        with (
            _process(["api", "--port", str(port)], self.environment),
            httpx.Client(base_url=f"http://127.0.0.1:{port}/api", timeout=60) as client,
        ):
            _until(lambda: _answers(client), "the API")
            yield client


@contextmanager
def platform(*, memory: str | None = None) -> Iterator[Platform]:
    """A platform in a folder of its own, which is gone afterwards.

    Args:
        memory: What ETLML_RUN_MEMORY says; its default if None.
    """
    with tempfile.TemporaryDirectory(prefix="etlml-bench-") as made:
        home = Path(made)
        server = EmbeddedMongod(home / "mongod", ends_with_me=True)
        uri = server.start()
        environment = {**os.environ, "ETLML_HOME": str(home), "ETLML_MONGODB_URI": uri, "ETLML_DATABASE": "bench"}
        if memory is not None:
            environment["ETLML_RUN_MEMORY"] = memory
        settings = Settings(home=home, mongodb_uri=SecretStr(uri), database="bench")
        settings.make_folders()
        store = open_store(uri, "bench")
        try:
            with _process(["worker"], environment) as worker:
                _until(lambda: bool(store.workers.list_alive(utc_now())), "the worker")
                yield Platform(home, Services(store, settings), worker, environment)
        finally:
            store.close()
            server.stop()


@contextmanager
def second_worker(there: Platform) -> Iterator[None]:
    """Another worker process on the same database and home."""
    with _process(["worker"], there.environment):
        _until(lambda: len(there.services.store.workers.list_alive(utc_now())) == 2, "the second worker")
        yield


@contextmanager
def _process(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "etlml.cli", *arguments, "--parent", str(os.getpid())]
        process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            yield process
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-4000:])
            raise
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def _until(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + READY_S
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} was not ready within {READY_S:.0f} s")
        time.sleep(0.05)
