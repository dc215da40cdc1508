"""A real engine on a real mongod, and a short way to run a pipeline on it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from etlml.clock import utc_now
from etlml.documents import Pipeline, Run
from etlml.engine.engine import Engine
from etlml.engine.new_runs import new_run
from etlml.settings import Settings, get_settings
from etlml.store import Store
from etlml.store.encoding import Document


@dataclass
class Workbench:
    """An engine that runs, with its store and its home folder."""

    engine: Engine
    store: Store
    settings: Settings

    @property
    def data(self) -> Path:
        return self.settings.data_dir

    def pipeline(self, steps: list[dict[str, Any]], name: str = "p", **fields: Any) -> Pipeline:
        return self.store.pipelines.add(Pipeline.model_validate({"name": name, "steps": steps, **fields}))

    def change(self, pipeline: Pipeline, steps: list[dict[str, Any]]) -> Pipeline:
        draft = Pipeline.model_validate({"name": pipeline.name, "steps": steps}).draft()
        return self.store.pipelines.save(pipeline.id, draft)

    def start(self, pipeline: Pipeline, **changes: Any) -> Run:
        run = new_run(pipeline, trigger="manual", now=utc_now()).model_copy(update=changes)
        return self.store.runs.add(run)

    def wait(self, run: Run, timeout_s: float = 30.0) -> Run:
        end = time.monotonic() + timeout_s
        while not (found := self.store.runs.get(run.id)).is_final:
            assert time.monotonic() < end, f"still {found.status}: {[(s.id, s.status) for s in found.steps]}"
            time.sleep(0.01)
        return found

    def until(self, run: Run, holds: Callable[[Run], bool], timeout_s: float = 20.0) -> Run:
        end = time.monotonic() + timeout_s
        while not holds(found := self.store.runs.get(run.id)):
            assert time.monotonic() < end, f"still {found.status}: {[(s.id, s.status) for s in found.steps]}"
            time.sleep(0.005)
        return found

    def run(self, steps: list[dict[str, Any]], name: str = "p", **fields: Any) -> Run:
        return self.wait(self.start(self.pipeline(steps, name, **fields)))


def statuses(run: Run) -> dict[str, str]:
    return {step.id: step.status for step in run.steps}


@pytest.fixture(scope="module")
def _engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine-home")


@pytest.fixture(scope="module")
def _bench(_indexed_database: Database[Document], _engine_home: Path) -> Iterator[Workbench]:
    get_settings.cache_clear()
    settings = Settings(home=_engine_home, worker_slots=4, run_memory=1 << 30)
    store = Store(_indexed_database, indexes=False)
    engine = Engine(settings, store)
    engine.start()
    bench = Workbench(engine, store, settings)
    yield bench
    bench.engine.stop()


@pytest.fixture
def bench(_bench: Workbench, mongo_database: Database[Document]) -> Workbench:
    """The module's engine, with an empty database before each test."""
    return _bench
