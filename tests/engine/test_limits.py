"""What a worker takes on, and how it takes up a change without a restart."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.compute.children import Children
from etlml.documents import Pipeline, Run
from etlml.engine.engine import Engine
from etlml.engine.limits import Limits, WorkerLimits
from etlml.engine.new_runs import new_run
from etlml.engine.worker import RunWorker
from etlml.settings import Settings, child_environment
from etlml.store import Store

MEMORY = 256 * 10**6


def test_people_decide_where_no_environment_does() -> None:
    own = Settings()
    limits = WorkerLimits(worker_slots=7, run_memory=MEMORY)
    assert limits.in_force(own) == Limits(7, MEMORY, [])
    assert WorkerLimits().in_force(own) == Limits(own.worker_slots, own.run_memory, [])


def test_the_environment_wins_and_is_named() -> None:
    limits = WorkerLimits(worker_slots=7, run_memory=MEMORY)
    assert limits.in_force(Settings(worker_slots=2)) == Limits(2, MEMORY, ["worker_slots"])


def test_env_file_counts_as_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ETLML_RUN_MEMORY=1GB\n")
    monkeypatch.chdir(tmp_path)
    assert WorkerLimits(run_memory=MEMORY).in_force(Settings()).run_memory == 10**9


def test_a_child_process_gets_only_limits_that_somebody_gave() -> None:
    given = child_environment(Settings(worker_slots=3))
    assert given["ETLML_WORKER_SLOTS"] == "3"
    assert "ETLML_RUN_MEMORY" not in given


class HeldWorker(RunWorker):
    """The real loop of claims, threads and heartbeats; its runs end when they are let go."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.let_go = threading.Semaphore(0)
        self.began: list[str] = []
        self.memory: list[str] = []

    def _execute(self, run: Run) -> None:
        database = self._databases.take()
        found = database.execute("SELECT current_setting('memory_limit')").fetchone()
        database.close()
        self.memory.append(str(found[0]) if found else "")
        self.began.append(run.id)
        self.let_go.acquire()
        self._store.runs.finish(run.id, 1, self.id, "success", utc_now())


@pytest.fixture
def worker(real_store: Store, tmp_path: Path) -> Iterator[HeldWorker]:
    real_store.pipelines.add(Pipeline(id="p", name="p", max_running=9))
    real_store.settings.set("preferences", {"worker_slots": 1})
    with Children(warm=()) as children:
        worker = HeldWorker(Settings(home=tmp_path), real_store, children)
        worker.start()
        yield worker
        for _ in range(20):
            worker.let_go.release()
        worker.stop()


def queued(store: Store, number: int) -> None:
    for _ in range(number):
        store.runs.add(new_run(store.pipelines.get("p"), trigger="manual", now=utc_now()))


def soon(holds: Callable[[], bool], what: object = "") -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_more_slots_start_more_runs_at_the_next_heartbeat(worker: HeldWorker, real_store: Store) -> None:
    queued(real_store, 3)
    soon(lambda: len(worker.began) == 1)
    time.sleep(0.2)
    assert len(worker.began) == 1
    real_store.settings.set("preferences", {"worker_slots": 3})
    worker.beat()
    soon(lambda: len(worker.began) == 3, worker.began)
    assert real_store.workers.get(worker.id).slots == 3


def test_with_fewer_slots_nothing_stops_and_nothing_starts_until_below(worker: HeldWorker, real_store: Store) -> None:
    real_store.settings.set("preferences", {"worker_slots": 2})
    worker.beat()
    queued(real_store, 4)
    soon(lambda: len(worker.began) == 2)
    real_store.settings.set("preferences", {"worker_slots": 1})
    worker.beat()
    worker.let_go.release()
    soon(lambda: real_store.runs.count({"status": "success"}) == 1)
    time.sleep(0.2)
    assert len(worker.began) == 2, "one of one slots is still taken"
    worker.let_go.release()
    soon(lambda: len(worker.began) == 3, worker.began)


def test_memory_holds_for_the_next_run(worker: HeldWorker, real_store: Store) -> None:
    queued(real_store, 1)
    soon(lambda: len(worker.began) == 1)
    real_store.settings.set("preferences", {"worker_slots": 2, "run_memory": MEMORY})
    worker.beat()
    queued(real_store, 1)
    soon(lambda: len(worker.began) == 2)
    assert worker.memory[1] != worker.memory[0]
    assert worker.memory[1] == "244.1 MiB"
    assert real_store.workers.get(worker.id).run_memory == MEMORY


def test_the_clock_of_an_engine_takes_a_change_up_by_itself(real_store: Store, tmp_path: Path) -> None:
    engine = Engine(Settings(home=tmp_path), real_store)
    engine.start()
    try:
        real_store.settings.set("preferences", {"worker_slots": 5})
        soon(lambda: real_store.workers.get(engine.worker.id).slots == 5)
    finally:
        engine.stop()
