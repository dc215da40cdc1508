"""No sequence of events brings a run into an illegal state, or loses one: a model beside the store, step by step."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import mongomock
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from pymongo import MongoClient

from etlml.documents import FINAL_RUN_STATUSES, Run, StepRun
from etlml.errors import StateConflict
from etlml.store import Store
from etlml.store.collection import MAJORITY
from etlml.store.encoding import Document

START = datetime(2026, 3, 1, tzinfo=UTC)
LEASE_S = 30
MAX_ATTEMPTS = 3
PIPELINES = {"one": 1, "two": 2}  # how many runs of each may go on at once
LEGAL = {
    ("pending", "running"),
    ("pending", "cancelled"),
    ("running", "pending"),
    ("running", "success"),
    ("running", "failed"),
    ("running", "cancelled"),
}
WORKERS = st.sampled_from(["w1", "w2"])
PIPELINE = st.sampled_from(sorted(PIPELINES))


@dataclass
class Expected:
    """What the model knows of a run."""

    pipeline: str
    created: int
    status: str = "pending"
    worker: str | None = None
    lease_until: datetime | None = None
    attempt: int = 0
    given_back: int = 0
    cancel_requested: bool = False


class RunStates(RuleBasedStateMachine):
    """Clients, two workers and a reconciler do what they may, in any order, with a clock that moves on."""

    runs = Bundle("runs")
    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.store = self.new_store()
        self.now = START
        self.expected: dict[str, Expected] = {}
        self.seen: dict[str, str] = {}

    def new_store(self) -> Store:
        return Store(mongomock.MongoClient(tz_aware=True)["states"])

    @rule(target=runs, pipeline=PIPELINE)
    def add(self, pipeline: str) -> str:
        run_id = f"r{len(self.expected):03}"
        run = Run(
            id=run_id,
            pipeline_id=pipeline,
            max_running=PIPELINES[pipeline],
            created_at=START + timedelta(seconds=len(self.expected)),
            steps=[StepRun(id="s", type="extract")],
        )
        self.store.runs.add(run)
        self.expected[run_id] = Expected(pipeline, len(self.expected))
        self.seen[run_id] = "pending"
        return run_id

    @rule(target=runs, of=runs)
    def retry(self, of: str) -> str:
        """A retry is a run of its own."""
        if self.expected[of].status not in FINAL_RUN_STATUSES:
            return multiple()  # type: ignore[return-value]
        return self.add(self.expected[of].pipeline)

    @rule(seconds=st.integers(1, 2 * LEASE_S))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(worker=WORKERS)
    def claim(self, worker: str) -> None:
        claimed = self.store.runs.claim(worker, self.now, LEASE_S)
        free = [name for name, most in PIPELINES.items() if len(self._running(name)) < most]
        waiting = [key for key, run in self.expected.items() if run.status == "pending" and run.pipeline in free]
        assert (claimed.id if claimed else None) == (min(waiting) if waiting else None)
        if claimed is not None:
            run = self.expected[claimed.id]
            run.status, run.worker, run.attempt = "running", worker, run.attempt + 1
            run.lease_until = self.now + timedelta(seconds=LEASE_S)

    @rule(worker=WORKERS)
    def heartbeat(self, worker: str) -> None:
        until = self.now + timedelta(seconds=LEASE_S)
        held = self.store.runs.heartbeat(worker, sorted(self.expected), until)
        mine = {key for key, run in self.expected.items() if run.status == "running" and run.worker == worker}
        assert held.runs == mine
        assert held.cancelled == {key for key in mine if self.expected[key].cancel_requested}
        for key in mine:
            self.expected[key].lease_until = until

    @rule(run_id=runs, worker=WORKERS, status=st.sampled_from(["success", "failed", "cancelled"]))
    def finish(self, run_id: str, worker: str, status: Literal["success", "failed", "cancelled"]) -> None:
        run = self.expected[run_id]
        try:
            self.store.runs.set_step(run_id, run.attempt, worker, 0, {"rows_out": run.attempt})
            self.store.runs.finish(run_id, run.attempt, worker, status, self.now)
        except StateConflict:
            assert not self._holds(run, worker)
        else:
            assert self._holds(run, worker)
            run.status = status

    @rule()
    def former_selves_write(self) -> None:
        """A thread that slept through the loss of its lease, whose worker has the run again by now."""
        for run_id, run in self.expected.items():
            if run.status == "running" and run.worker is not None:
                for write in (
                    lambda *held: self.store.runs.set_step(*held, 0, {"rows_out": -1}),
                    lambda *held: self.store.runs.finish(*held, "success", self.now),
                    lambda *held: self.store.runs.release(*held),
                ):
                    with pytest.raises(StateConflict):
                        write(run_id, run.attempt - 1, run.worker)

    @rule(run_id=runs, worker=WORKERS)
    def release(self, run_id: str, worker: str) -> None:
        run = self.expected[run_id]
        try:
            back = self.store.runs.release(run_id, run.attempt, worker)
        except StateConflict:
            assert not self._holds(run, worker)
        else:
            assert self._holds(run, worker)
            run.status = "cancelled" if run.cancel_requested else "pending"
            run.given_back += not run.cancel_requested
            assert back.status == run.status

    @rule(run_id=runs)
    def cancel(self, run_id: str) -> None:
        run = self.expected[run_id]
        try:
            self.store.runs.request_cancel(run_id, self.now)
        except StateConflict:
            assert run.status in FINAL_RUN_STATUSES
        else:
            assert run.status in ("pending", "running")
            run.cancel_requested = run.cancel_requested or run.status == "running"
            run.status = "cancelled" if run.status == "pending" else run.status

    @rule(worker=WORKERS)
    def worker_dies(self, worker: str) -> None:
        ended = self.store.runs.expire_leases(worker, self.now)
        mine = [run for run in self.expected.values() if run.status == "running" and run.worker == worker]
        assert ended == len(mine)
        for run in mine:
            run.lease_until = self.now - timedelta(milliseconds=1)

    @rule()
    def reconcile(self) -> None:
        lost = {key for key, run in self.expected.items() if run.status == "running" and self._expired(run)}
        assert {run.id for run in self.store.runs.expired(self.now)} == lost
        for run_id in sorted(self.expected):
            back = self.store.runs.take_back(run_id, self.now, MAX_ATTEMPTS)
            assert (back is not None) == (run_id in lost)
            if back is not None:
                run = self.expected[run_id]
                too_often = run.attempt - run.given_back >= MAX_ATTEMPTS
                run.status = "cancelled" if run.cancel_requested else "failed" if too_often else "pending"
                assert (back.error is not None) == (run.status == "failed")

    @invariant()
    def every_run_is_there_in_the_state_it_should_have(self) -> None:
        stored = {run.id: run for run in self.store.runs.list(limit=1000).items}
        assert set(stored) == set(self.expected)
        for run_id, run in self.expected.items():
            found = stored[run_id]
            assert (found.status, found.attempt) == (run.status, run.attempt)
            assert found.cancel_requested == run.cancel_requested
            if found.status == "running":
                assert (found.worker, found.lease_until) == (run.worker, run.lease_until)
            else:
                assert found.lease_until is None
            assert (found.finished_at is not None) == found.is_final
            assert (found.duration_s is not None) == found.is_final

    @invariant()
    def every_change_was_a_legal_one(self) -> None:
        for run_id, run in self.expected.items():
            before, self.seen[run_id] = self.seen[run_id], run.status
            assert before == run.status or (before, run.status) in LEGAL

    @invariant()
    def no_pipeline_runs_more_than_it_may(self) -> None:
        for pipeline, most in PIPELINES.items():
            assert len(self.store.runs.list(pipeline_id=pipeline, status="running").items) <= most

    def _running(self, pipeline: str) -> list[Expected]:
        return [run for run in self.expected.values() if run.status == "running" and run.pipeline == pipeline]

    def _holds(self, run: Expected, worker: str) -> bool:
        return run.status == "running" and run.worker == worker

    def _expired(self, run: Expected) -> bool:
        return run.lease_until is not None and run.lease_until < self.now


OPTIONS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
def test_run_states_on_mongomock() -> None:
    run_state_machine_as_test(RunStates, settings=settings(OPTIONS, max_examples=40, stateful_step_count=40))


@pytest.mark.slow
def test_run_states_on_the_real_server(mongo_client: MongoClient[Document]) -> None:
    database = mongo_client.get_database("states", write_concern=MAJORITY)
    store = Store(database)

    class OnServer(RunStates):
        def new_store(self) -> Store:
            database["pipeline_runs"].delete_many({})
            return store

    run_state_machine_as_test(OnServer, settings=settings(OPTIONS, max_examples=15, stateful_step_count=40))
    mongo_client.drop_database("states")
