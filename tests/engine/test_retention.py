"""What is forgotten, and what never is."""

from datetime import timedelta
from pathlib import Path

import pytest

from etlml.clock import utc_now
from etlml.documents import Checkpoint, Pipeline, Run
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
