"""What the smaller stores must do, on every server."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from etlml.clock import utc_now
from etlml.documents import (
    ApiKey,
    AuditEntry,
    Backfill,
    Checkpoint,
    Connection,
    DataInfo,
    ErrorInfo,
    Experiment,
    MetricPoint,
    RuleResult,
    User,
    Validation,
    Worker,
)
from etlml.errors import Conflict, InvalidInput, NameTaken, NotFound, StateConflict
from etlml.store import Store
from etlml.store.encoding import storable


class TestStorable:
    @pytest.mark.parametrize(
        ("value", "stored"),
        [
            (date(2026, 1, 2), "2026-01-02"),
            (Decimal("1.5"), 1.5),
            (Decimal("NaN"), "NaN"),
            (timedelta(seconds=2), 2.0),
            (Path("a/b"), "a/b"),
            (2**70, str(2**70)),
            ({1: {2}}, {"1": [2]}),
            (np.float64(0.5), 0.5),
            (np.int64(3), 3),
            (np.bool_(True), True),
            (np.array([1, 2]), [1, 2]),
            (np.array([7]), 7),
            (object, str(object)),
        ],
    )
    def test_what_users_put_in(self, value: Any, stored: Any) -> None:
        assert storable(value) == stored

    def test_a_document_too_large_is_refused(self, real_store: Store) -> None:
        with pytest.raises(InvalidInput, match="16 MB"):
            real_store.experiments.add(Experiment(name="big", artifacts={"x": "y" * 17_000_000}))


class TestExperiments:
    def test_get_returns_an_equal_experiment(self, store: Store) -> None:
        data = DataInfo(path="a.parquet", rows=3, schema={"a": "BIGINT"})
        added = store.experiments.add(Experiment(name="e", data=data, parameters={"alpha": 0.1, "nested": {"x": [1]}}))
        assert store.experiments.get(added.id) == added

    def test_finish_adds_metrics_once(self, store: Store, now: datetime) -> None:
        added = store.experiments.add(Experiment(name="e", metrics={"a": 1.0}))
        ended = store.experiments.finish(added.id, "completed", now, metrics={"b.c": 2.0}, artifacts={"$x": "$y"})
        assert (ended.status, ended.finished_at, ended.artifacts) == ("completed", now, {"$x": "$y"})
        assert ended.metrics == {"a": 1.0, "b.c": 2.0}
        with pytest.raises(StateConflict, match="has ended already: completed"):
            store.experiments.finish(added.id, "failed", now, error=ErrorInfo(type="X", message="m"))
        with pytest.raises(NotFound):
            store.experiments.finish("nope", "failed", now)

    def test_lists_by_project_text_and_tag(self, store: Store) -> None:
        store.experiments.add(Experiment(name="Ridge", project="a", tags=["x"]))
        store.experiments.add(Experiment(name="forest", description="no ridge"))
        assert len(store.experiments.list(q="ridge").items) == 2
        assert [each.name for each in store.experiments.list(project="a", tag="x").items] == ["Ridge"]
        assert store.experiments.projects() == ["a", "default"]
        assert store.experiments.counts_by_status() == {"running": 2}

    def test_metric_points_come_back_by_step(self, store: Store) -> None:
        points = [MetricPoint(experiment_id="e", key="loss", step=step, value=1 / step) for step in (3, 1, 2)]
        store.metric_points.add_many([*points, MetricPoint(experiment_id="e", key="acc", value=1)])
        assert [point.step for point in store.metric_points.series("e", "loss")] == [1, 2, 3]
        assert store.metric_points.series("e", "nope") == []
        assert store.metric_points.keys("e") == ["acc", "loss"]
        assert store.metric_points.last("e")["loss"].value == pytest.approx(1 / 3)

    def test_delete_takes_the_points_along(self, store: Store) -> None:
        added = store.experiments.add(Experiment(name="e"))
        store.metric_points.add_many([MetricPoint(experiment_id=added.id, key="loss", value=1)])
        store.experiments.delete(added.id)
        assert store.metric_points.keys(added.id) == []


class TestValidations:
    def test_keeps_results_with_samples_of_any_kind(self, store: Store) -> None:
        rule = RuleResult(
            rule="between", column="a", success=False, sample=[{"a": Decimal("1.5"), "b": date(2026, 1, 2)}]
        )
        added = store.validations.add(Validation(name="v", status="failed", score=0.5, row_count=3, rules=[rule]))
        stored = store.validations.get(added.id)
        assert stored.rules[0].sample == [{"a": 1.5, "b": "2026-01-02"}]

    def test_stats_lists_and_retention(self, store: Store, now: datetime) -> None:
        for number, status in enumerate(["passed", "failed", "passed"]):
            at = now - timedelta(days=number)
            fields: dict[str, Any] = {"name": f"v{number}", "status": status, "created_at": at, "run_id": f"r{number}"}
            store.validations.add(Validation(score=number / 2, row_count=1, **fields))
        stats = store.validations.stats(now - timedelta(days=1))
        assert (stats["counts"], stats["score"]) == ({"passed": 1, "failed": 1}, 0.25)
        assert [(each["day"], each["score"]) for each in stats["by_day"]] == [("2026-02-28", 0.5), ("2026-03-01", 0.0)]
        assert [each.name for each in store.validations.list(status="passed").items] == ["v0", "v2"]
        assert store.validations.delete_before(now - timedelta(days=1)) == 1
        assert store.validations.delete_of_runs(["r0"]) == 1


class TestCheckpoints:
    def test_are_found_used_and_freed_by_least_use(self, store: Store, now: datetime) -> None:
        for number in range(3):
            at = now + timedelta(seconds=number)
            entry = Checkpoint(id=f"k{number}", run_id="r", step_id="s", path="p", bytes=10, last_used_at=at)
            store.checkpoints.put(entry)
        assert store.checkpoints.total_bytes() == 30
        used = store.checkpoints.use("k0", now + timedelta(minutes=1))
        assert used is not None
        assert used.path == "p"
        assert store.checkpoints.use("nope", now) is None
        assert set(store.checkpoints.use_many(["k1", "nope"], now + timedelta(minutes=2))) == {"k1"}
        assert [each.id for each in store.checkpoints.least_used(limit=2)] == ["k2", "k0"]
        assert len(store.checkpoints.of_runs(["r"])) == 3
        assert store.checkpoints.delete_many(["k2", "nope"]) == 1
        assert store.checkpoints.total_bytes() == 20

    def test_put_replaces(self, store: Store) -> None:
        for path in ("a", "b"):
            store.checkpoints.put(Checkpoint(id="k", run_id="r", step_id="s", path=path))
        assert store.checkpoints.get("k").path == "b"


class TestPeople:
    def test_users_have_unique_names(self, store: Store) -> None:
        ann = store.users.add(User(name="ann"))
        with pytest.raises(NameTaken, match="already a user 'ann'"):
            store.users.add(User(name="ann"))
        bob = store.users.add(User(name="bob"))
        with pytest.raises(NameTaken):
            store.users.update(bob.id, {"name": "ann"})
        assert store.users.update(ann.id, {"role": "admin"}).role == "admin"
        with pytest.raises(NotFound):
            store.users.update("nope", {"role": "admin"})

    def test_api_keys_are_found_by_hash(self, store: Store, now: datetime) -> None:
        key = store.api_keys.add(ApiKey(name="k", key_hash="h", prefix="p"))
        store.api_keys.touch(key.id, now)
        assert store.api_keys.by_hash("h").last_used_at == now
        with pytest.raises(NotFound):
            store.api_keys.by_hash("x")

    def test_sessions_end(self, store: Store) -> None:
        now = utc_now()
        store.sessions.put("t1", "ann", now + timedelta(hours=1), {"role": "admin"})
        store.sessions.put("t2", "ann", now + timedelta(hours=2))
        found = store.sessions.get("t1")
        assert found is not None
        assert (found["user"], found["data"]) == ("ann", {"role": "admin"})
        assert store.sessions.get("t1", now + timedelta(hours=1)) is None
        store.sessions.delete("t1")
        assert store.sessions.get("t1") is None
        assert store.sessions.delete_of("ann") == 1

    def test_audit_is_listed_by_what_and_who(self, store: Store, now: datetime) -> None:
        for number, actor in enumerate(["ann", "bob"]):
            at = now + timedelta(seconds=number)
            store.audit.add(AuditEntry(actor=actor, action="deleted", kind="run", key=f"r{number}", ts=at))
        assert [each.actor for each in store.audit.list().items] == ["bob", "ann"]
        assert [each.key for each in store.audit.list(actor="ann", kind="run").items] == ["r0"]


class TestConnections:
    def test_replace_keeps_names_unique(self, store: Store) -> None:
        store.connections.add(Connection(name="a", kind="postgres"))
        second = store.connections.add(Connection(name="b", kind="s3", description="bucket"))
        with pytest.raises(NameTaken):
            store.connections.replace(second.model_copy(update={"name": "a"}))
        store.connections.replace(second.model_copy(update={"name": "c"}))
        assert store.connections.names() == ["a", "c"]
        with pytest.raises(NotFound):
            store.connections.replace(Connection(name="z", kind="s3"))
        assert [each.name for each in store.connections.list(q="BUCK", kind="s3").items] == ["c"]


class TestWorkers:
    def test_are_alive_while_they_beat(self, store: Store) -> None:
        now = utc_now()
        for name, age in (("w1", 1), ("w2", 20)):
            at = now - timedelta(seconds=age)
            store.workers.beat(Worker(id=name, host="h", pid=1, slots=2, started_at=at, heartbeat_at=at))
        store.workers.beat(Worker(id="w1", host="h", pid=1, slots=2, running=["r"], started_at=now, heartbeat_at=now))
        (alive,) = store.workers.list_alive(now)
        assert (alive.id, alive.running) == ("w1", ["r"])
        assert {worker.id for worker in store.workers.list_on("h")} == {"w1", "w2"}
        assert store.workers.delete_before(now - timedelta(seconds=10)) == 1
        store.workers.remove("w1")
        assert store.workers.list_on("h") == []


class TestSmallThings:
    def test_settings(self, store: Store) -> None:
        assert store.settings.get("a", 5) == 5
        store.settings.set("a", {"x.y": [1]})
        assert store.settings.get("a") == {"x.y": [1]}
        assert store.settings.set_once("a", 2) == {"x.y": [1]}
        assert store.settings.set_once("b", 2) == 2
        assert store.settings.all() == {"a": {"x.y": [1]}, "b": 2}
        store.settings.delete("a")
        assert store.settings.get("a") is None

    def test_schedules_never_go_back(self, store: Store, now: datetime) -> None:
        assert "p" not in store.schedules.last_fires()
        assert store.schedules.advance("p", now) == now
        assert store.schedules.advance("p", now - timedelta(hours=1)) == now
        store.schedules.reset("p", now - timedelta(hours=2))
        assert store.schedules.last_fires() == {"p": now - timedelta(hours=2)}
        store.schedules.delete("p")
        assert "p" not in store.schedules.last_fires()

    def test_backfills_move_from_state_to_state(self, store: Store, now: datetime) -> None:
        added = store.backfills.add(Backfill(pipeline_id="p", since=now, until=now, intervals=[now]))
        assert store.backfills.move(added.id, {"running"}, "paused").status == "paused"
        with pytest.raises(StateConflict, match="is paused; it cannot become paused"):
            store.backfills.move(added.id, {"running"}, "paused")
        assert [each.id for each in store.backfills.list(pipeline_id="p", status="paused").items] == [added.id]

    def test_an_idempotency_key_stands_for_one_document(self, store: Store) -> None:
        assert store.idempotency.reserve("k", "id1", fingerprint="f") == "id1"
        assert store.idempotency.reserve("k", "id2", fingerprint="f") == "id1"
        with pytest.raises(Conflict, match="used for another request"):
            store.idempotency.reserve("k", "id3", fingerprint="g")
        store.idempotency.forget("k")
        assert store.idempotency.reserve("k", "id4") == "id4"

    def test_of_requests_at_once_one_creates(self, real_store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda number: real_store.idempotency.reserve("k", f"id{number}"), range(8)))
        assert len(found) == 1
