"""Runs with an append load and a merge load while workers and mongod are killed with -9: nothing is lost, nothing twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from bench.measure import Row
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.settings import Settings
from etlml.store import open_store
from etlml.store.mongod import EmbeddedMongod

ROWS = 2000
PARALLEL = 4
LONGEST_S = 900.0
PIPELINE: dict[str, Any] = {
    "name": "chaos",
    "max_running": PARALLEL,
    "params": {"run": 0},
    "steps": [
        {"id": "read", "type": "extract", "config": {"source": {"kind": "file", "path": "numbers.csv"}}},
        {
            "id": "tag",
            "type": "transform",
            "config": {
                "ops": [{"op": "derive", "columns": {"run": "${params.run}", "key": "${params.run} * 100000 + n"}}]
            },
        },
        {"id": "check", "type": "validate", "config": {"rules": [{"rule": "unique", "column": "key"}]}},
        {
            "id": "append",
            "type": "load",
            "config": {"sink": {"kind": "sqlite", "path": "out/append.sqlite", "table": "t"}, "mode": "append"},
        },
        {
            "id": "merge",
            "type": "load",
            "needs": ["check"],
            "config": {
                "sink": {"kind": "duckdb", "path": "out/merge.duckdb", "table": "t"},
                "mode": "merge",
                "keys": ["key"],
            },
        },
    ],
}
"""Two loads, each of which must write every row once."""


@dataclass
class Outcome:
    """What a storm left behind.

    Attributes:
        statuses: Runs by their final status.
        kills: Processes killed, by kind.
        appended: Rows of the sink of the append load, and distinct ones.
        merged: The same of the merge load.
        leases: Runs that still have a lease, and pipelines that still show "running".
        leftovers: Temporary files that are still there.
        seconds: How long it took.
    """

    statuses: Counter[str]
    kills: Counter[str]
    appended: tuple[int, int]
    merged: tuple[int, int]
    leases: int
    leftovers: list[str]
    seconds: float

    def faults(self, runs: int) -> list[str]:
        """Everything that is not as it must be; empty if nothing was lost or doubled."""
        expected = (runs * ROWS, runs * ROWS)
        checks = {
            f"runs: {dict(self.statuses)}": self.statuses == Counter(success=runs),
            f"append: {self.appended}, not {expected}": self.appended == expected,
            f"merge: {self.merged}, not {expected}": self.merged == expected,
            f"leases: {self.leases}": self.leases == 0,
            f"leftovers: {self.leftovers}": not self.leftovers,
        }
        return [text for text, holds in checks.items() if not holds]


@dataclass
class Storm:
    """Two workers and a mongod under a supervisor that brings back what was killed.

    Args:
        home: An empty folder.
        seed: What the moments and victims of the kills follow from.
    """

    home: Path
    seed: int
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._mongod = EmbeddedMongod(self.home / "mongod", ends_with_me=True)
        self._uri = self._mongod.start()
        self._environment = {
            **os.environ,
            "ETLML_HOME": str(self.home),
            "ETLML_MONGODB_URI": self._uri,
            "ETLML_DATABASE": "chaos",
            "ETLML_WORKER_SLOTS": "2",
        }
        self._settings = Settings(home=self.home, mongodb_uri=SecretStr(self._uri), database="chaos")
        self._settings.make_folders()
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._over = threading.Event()

    def run(self, runs: int, kills: int) -> Outcome:
        """Queue the runs, kill at random until ``kills`` are done, and wait until every run has ended."""
        began = time.monotonic()
        chance = random.Random(self.seed)
        with ExitStack() as stack:
            store = stack.enter_context(open_store(self._uri, "chaos"))
            services = Services(store, self._settings)
            self._queue(services, runs)
            stack.callback(self._stop)
            while True:
                self._bring_back()
                time.sleep(chance.uniform(0.3, 1.5))
                if sum(self.kills.values()) < kills:
                    self._kill(chance)
                elif self._all_ended(services, runs):
                    break
                if time.monotonic() - began > LONGEST_S:
                    break
            self._bring_back()
            time.sleep(3)  # one round of the reconciler, which puts the pipelines' states right
            return self._outcome(services, time.monotonic() - began)

    def _queue(self, services: Services, runs: int) -> None:
        numbers = "\n".join(str(n) for n in range(ROWS))
        (self._settings.data_dir / "numbers.csv").write_text(f"n\n{numbers}\n")
        services.pipelines.create(PIPELINE)
        for number in range(runs):
            services.runs.start("chaos", {"run": number})

    def _bring_back(self) -> None:
        """What a supervisor does: start anew what is dead."""
        if not self._mongod.is_running():
            self._mongod.start()
        for slot in range(2):
            worker = self._workers.get(slot)
            if worker is None or worker.poll() is not None:
                with (self.home / f"worker-{slot}.log").open("ab") as log:
                    self._workers[slot] = subprocess.Popen(
                        [sys.executable, "-m", "etlml.cli", "worker"],
                        env=self._environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )

    def _kill(self, chance: random.Random) -> None:
        victim = chance.choice(["worker", "worker", "worker", "mongod"])
        pid = self._mongod.pid if victim == "mongod" else self._workers[chance.randrange(2)].pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self.kills[victim] += 1
            if victim == "worker":
                for worker in self._workers.values():
                    worker.poll()

    def _all_ended(self, services: Services, runs: int) -> bool:
        try:
            ended = services.store.runs.counts_by_status()
        except EtlmlError:
            return False  # mongod is just coming back
        return sum(ended.get(status, 0) for status in ("success", "failed", "cancelled")) == runs

    def _stop(self) -> None:
        for worker in self._workers.values():
            worker.terminate()
        for worker in self._workers.values():
            try:
                worker.wait(30)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._mongod.stop()

    def _outcome(self, services: Services, seconds: float) -> Outcome:
        out = self._settings.data_dir / "out"
        counts = "SELECT count(*), count(DISTINCT key) FROM t"
        with sqlite3.connect(out / "append.sqlite") as sink:
            appended = sink.execute(counts).fetchone()
        with duckdb.connect(str(out / "merge.duckdb"), read_only=True) as sink:
            merged = sink.execute(counts).fetchone()
        runs = list(services.runs.list(limit=1000).items)
        pipelines = services.pipelines.list().items
        temporary = (".partial", ".tmp", ".probe", ".wal")
        return Outcome(
            statuses=Counter(run.status for run in runs),
            kills=self.kills,
            appended=appended,
            merged=merged or (0, 0),
            leases=sum(run.lease_until is not None for run in runs) + sum(p.status == "running" for p in pipelines),
            leftovers=[
                str(path.relative_to(self.home))
                for folder in (out, self._settings.runs_dir)
                for path in folder.rglob("*")
                if path.name.endswith(temporary) or (path.name.startswith(".") and "partial" in path.name)
            ],
            seconds=seconds,
        )


def storm(runs: int, kills: int, *, seed: int = 0) -> Outcome:
    """Run a storm in a folder of its own; what it left."""
    with tempfile.TemporaryDirectory(prefix="etlml-chaos-") as home:
        return Storm(Path(home), seed).run(runs, kills)


def run() -> Iterator[Row]:
    """40 runs under 25 kills; the limit is no fault."""
    seed = random.SystemRandom().randrange(10_000)
    outcome = storm(40, 25, seed=seed)
    faults = outcome.faults(40)
    yield Row(
        f"chaos: 40 runs, {dict(outcome.kills)} kills in {outcome.seconds:.0f} s (seed {seed})",
        value=float(len(faults)),
        baseline=None,
        limit=0.0,
        unit="faults",
        note="; ".join(faults) or "every run succeeded, every row is there once",
    )
