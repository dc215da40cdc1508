"""What is forgotten, and what never is."""

from datetime import timedelta
from pathlib import Path

import pytest

from etlml.clock import utc_now
from etlml.documents import AuditEntry, Backfill, Checkpoint, Pipeline, Refusal, Run, Trigger
from etlml.engine.leftovers import UNKNOWN, arrivals_key, draft_key
from etlml.engine.retention import Retention, RetentionPolicy
from etlml.store import Store

KEEP_ALL = RetentionPolicy(cache_max_bytes=None, log_max_lines=None)


@pytest.fixture
def retention(real_store: Store, tmp_path: Path) -> Retention:
    real_store.pipelines.add(Pipeline(id="p", name="p"))
    return Retention(real_store, tmp_path, utc_now)


def a_run(store: Store, folder: Path, *, days_old: float = 0, ended: bool = True) -> Run:
    run = store.runs.add(
        Run(
            pipeline_id="p", status="cancelled" if ended else "pending", created_at=utc_now() - timedelta(days=days_old)
        )
    )
    (folder / run.id).mkdir()
    (folder / run.id / "step.parquet").write_bytes(b"x" * 1000)
    return run


def a_result(store: Store, run: Run, key: str, *, hours_unused: float) -> Checkpoint:
    checkpoint = Checkpoint(
        id=key,
        run_id=run.id,
        step_id="step",
        path=f"{run.id}/step.parquet",
        bytes=1000,
        last_used_at=utc_now() - timedelta(hours=hours_unused),
    )
    store.checkpoints.put(checkpoint)
    return checkpoint


def test_runs_beyond_their_age_go_with_their_files_and_a_preview_says_so_first(
    retention: Retention, real_store: Store, tmp_path: Path
) -> None:
    old, young = a_run(real_store, tmp_path, days_old=10), a_run(real_store, tmp_path)
    policy = KEEP_ALL.model_copy(update={"run_retention_days": 5})
    preview = retention.preview(policy)
    assert (preview.runs, preview.bytes) == (1, 1000)
    assert (tmp_path / old.id).exists()
    assert retention.apply(policy) == preview
    assert not (tmp_path / old.id).exists()
    assert [run.id for run in real_store.runs.list().items] == [young.id]


def test_a_run_that_waits_or_goes_on_is_never_forgotten(
    retention: Retention, real_store: Store, tmp_path: Path
) -> None:
    run = a_run(real_store, tmp_path, days_old=10, ended=False)
    retention.apply(KEEP_ALL.model_copy(update={"run_retention_days": 5, "runs_per_pipeline": 1}))
    assert real_store.runs.get(run.id).status == "pending"
    assert (tmp_path / run.id / "step.parquet").exists()


def test_only_the_newest_runs_of_a_pipeline_are_kept(retention: Retention, real_store: Store, tmp_path: Path) -> None:
    runs = [a_run(real_store, tmp_path, days_old=days) for days in (3, 2, 1)]
    retention.apply(KEEP_ALL.model_copy(update={"runs_per_pipeline": 2}))
    assert [run.id for run in real_store.runs.list().items] == [runs[2].id, runs[1].id]


def test_the_cache_gives_up_what_was_unused_for_longest(
    retention: Retention, real_store: Store, tmp_path: Path
) -> None:
    old, new = a_run(real_store, tmp_path), a_run(real_store, tmp_path)
    a_result(real_store, old, "old", hours_unused=5)
    a_result(real_store, new, "new", hours_unused=1)
    retention.apply(KEEP_ALL.model_copy(update={"cache_max_bytes": 1500}))
    assert [each.id for each in real_store.checkpoints.least_used()] == ["new"]
    assert not (tmp_path / old.id / "step.parquet").exists()
    assert (tmp_path / new.id / "step.parquet").exists()


def test_without_limits_nothing_is_forgotten(retention: Retention, real_store: Store, tmp_path: Path) -> None:
    run = a_run(real_store, tmp_path, days_old=1000)
    assert retention.apply(KEEP_ALL).runs == 0
    assert (tmp_path / run.id).exists()


def test_the_policy_in_force_comes_from_the_preferences(retention: Retention, real_store: Store) -> None:
    real_store.settings.set("preferences", {"run_retention_days": 7, "timezone": "UTC"})
    assert retention.policy().run_retention_days == 7


def test_audit_stays_for_good_unless_a_limit_is_set(retention: Retention, real_store: Store) -> None:
    for days in (400, 3):
        ts = utc_now() - timedelta(days=days)
        real_store.audit.add(AuditEntry(id=f"a{days}", ts=ts, actor="ann", action="changed", kind="pipeline", key="p"))
    assert retention.preview(KEEP_ALL).audit_entries == 0
    policy = KEEP_ALL.model_copy(update={"audit_retention_days": 365})
    assert retention.preview(policy).audit_entries == 1
    assert retention.apply(policy).audit_entries == 1
    assert [entry.id for entry in real_store.audit.list().items] == ["a3"]


def test_backfills_go_with_runs_of_their_age_unless_they_go_on(retention: Retention, real_store: Store) -> None:
    old = utc_now() - timedelta(days=10)
    for status, ended in (("completed", old), ("failed", utc_now()), ("running", None)):
        backfill = Backfill(id=status, pipeline_id="p", since=old, until=old, status=status, finished_at=ended)  # type: ignore[arg-type]
        real_store.backfills.add(backfill)
    retention.apply(KEEP_ALL.model_copy(update={"run_retention_days": 5}))
    assert {one.id for one in real_store.backfills.list().items} == {"failed", "running"}


def test_what_deleted_pipelines_left_is_swept_and_nothing_else(retention: Retention, real_store: Store) -> None:
    trigger = Trigger(kind="file", path="in/*.csv")
    real_store.pipelines.update("p", {"triggers": [trigger]})
    kept = [draft_key("a.b", "p"), arrivals_key("p", "in/*.csv"), "preferences"]
    gone = [draft_key("a.b", "q"), arrivals_key("p", "old/*.csv"), arrivals_key("q", "in/*.csv")]
    for key in [*kept, *gone]:
        real_store.settings.set(key, {})
    for pipeline_id in ("p", "q"):
        real_store.schedules.advance(pipeline_id, utc_now())
    for pipeline_id in ("p", "q", UNKNOWN):
        real_store.webhook_calls.refused(pipeline_id, Refusal(ts=utc_now(), reason="paused"))
    retention.tick()
    assert sorted(real_store.settings.all()) == sorted(kept)
    assert list(real_store.schedules.last_fires()) == ["p"]
    assert sorted(real_store.webhook_calls.pipeline_ids()) == ["p", UNKNOWN]
