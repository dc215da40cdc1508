"""Runs that a file's arrival or another pipeline's success starts."""

import os
from datetime import timedelta
from pathlib import Path

from etlml.clock import utc_now
from etlml.documents import Pipeline, Run
from etlml.engine.triggers import Triggers
from etlml.store import Store

LONG_AGO = timedelta(minutes=5)


def a_pipeline(store: Store, name: str, **trigger: str) -> Pipeline:
    document = {"name": name, "steps": [], "updated_at": utc_now() - LONG_AGO}
    return store.pipelines.add(Pipeline.model_validate(document | ({"triggers": [trigger]} if trigger else {})))


def triggers(store: Store, folder: Path) -> Triggers:
    return Triggers(store, folder, utc_now)


def settled_file(path: Path, text: str = "x") -> None:
    """A file that nobody has written to for a while."""
    path.write_text(text)
    then = (utc_now() - LONG_AGO).timestamp()
    os.utime(path, (then, then))


class TestArrival:
    def test_files_that_were_there_before_start_nothing(self, store: Store, tmp_path: Path) -> None:
        settled_file(tmp_path / "old.csv")
        a_pipeline(store, "p", kind="file", path="*.csv")
        look = triggers(store, tmp_path)
        assert look.tick() == look.tick() == []

    def test_a_new_file_starts_one_run_that_names_it(self, store: Store, tmp_path: Path) -> None:
        pipeline = a_pipeline(store, "p", kind="file", path="in/*.csv")
        (tmp_path / "in").mkdir()
        look = triggers(store, tmp_path)
        look.tick()
        settled_file(tmp_path / "in" / "new.csv")
        (run,) = look.tick()
        assert (run.pipeline_id, run.trigger, run.reason) == (pipeline.id, "file", "Arrival of new.csv.")
        assert look.tick() == []

    def test_two_workers_that_see_the_same_file_start_one_run(self, store: Store, tmp_path: Path) -> None:
        a_pipeline(store, "p", kind="file", path="*.csv")
        first, second = triggers(store, tmp_path), triggers(store, tmp_path)
        first.tick()
        state = store.settings.all()
        settled_file(tmp_path / "new.csv")
        assert len(first.tick()) == 1
        for key, value in state.items():
            store.settings.set(key, value)  # as the other worker had read it
        assert second.tick() == []

    def test_a_changed_file_starts_another_run(self, store: Store, tmp_path: Path) -> None:
        a_pipeline(store, "p", kind="file", path="*.csv")
        look = triggers(store, tmp_path)
        settled_file(tmp_path / "a.csv")
        look.tick()
        settled_file(tmp_path / "a.csv", "more than before")
        assert len(look.tick()) == 1

    def test_a_file_that_is_still_written_waits(self, store: Store, tmp_path: Path) -> None:
        a_pipeline(store, "p", kind="file", path="*.csv")
        look = triggers(store, tmp_path)
        look.tick()
        (tmp_path / "growing.csv").write_text("x")
        assert look.tick() == []


class TestSuccess:
    def ended(self, store: Store, pipeline: Pipeline, status: str) -> Run:
        run = Run(pipeline_id=pipeline.id, pipeline_name=pipeline.name, status="pending")
        store.runs.add(run)
        claimed = store.runs.claim("w", utc_now(), 10)
        assert claimed is not None
        return store.runs.finish(run.id, claimed.attempt, "w", status, utc_now())  # type: ignore[arg-type]

    def test_a_success_starts_one_run_of_the_pipeline_that_waits_for_it(
        self, real_store: Store, tmp_path: Path
    ) -> None:
        upstream = a_pipeline(real_store, "up")
        down = a_pipeline(real_store, "down", kind="pipeline", pipeline="up")
        done = self.ended(real_store, upstream, "success")
        look = triggers(real_store, tmp_path)
        (run,) = look.tick()
        assert (run.pipeline_id, run.trigger) == (down.id, "pipeline")
        assert done.id in (run.reason or "")
        assert look.tick() == []

    def test_a_failure_starts_nothing(self, real_store: Store, tmp_path: Path) -> None:
        upstream = a_pipeline(real_store, "up")
        a_pipeline(real_store, "down", kind="pipeline", pipeline="up")
        self.ended(real_store, upstream, "failed")
        assert triggers(real_store, tmp_path).tick() == []

    def test_a_pipeline_that_waits_for_an_unknown_one_does_not_keep_the_others_waiting(
        self, real_store: Store, tmp_path: Path
    ) -> None:
        upstream = a_pipeline(real_store, "up")
        a_pipeline(real_store, "lost", kind="pipeline", pipeline="gone")
        a_pipeline(real_store, "down", kind="pipeline", pipeline="up")
        self.ended(real_store, upstream, "success")
        assert len(triggers(real_store, tmp_path).tick()) == 1
