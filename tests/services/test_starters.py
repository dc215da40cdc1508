"""Each template checks clean and runs to success on the example data."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from etlml.engine.engine import Engine
from etlml.errors import NotFound
from etlml.services import Services
from etlml.services.starters import template, templates
from etlml.services.workspace import examples_dir

KEYS = [
    "csv-to-parquet",
    "daily-merge",
    "join-and-aggregate",
    "quarantine-bad-rows",
    "train-a-classifier",
    "sql-report",
]


def test_they_are_told_the_simplest_first_and_in_words() -> None:
    assert list(templates()) == KEYS
    assert template("csv-to-parquet").title == "CSV to Parquet"
    assert all(one.description for one in templates().values())


def test_an_unknown_one_is_refused_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="csv-to-parquet"):
        template("csv-to-parket")


def test_a_pipeline_made_of_one_has_its_own_name_and_no_mark(services: Services) -> None:
    pipeline = services.pipelines.create(template("quarantine-bad-rows").document("mine"))
    assert (pipeline.name, pipeline.tags) == ("mine", ["quality"])
    assert all(step.position for step in pipeline.steps)


@pytest.fixture
def engine(services: Services, home: Path) -> Iterator[Engine]:
    """A worker with the example data."""
    shutil.copytree(examples_dir() / "data", services.environment.data_dir / "examples", dirs_exist_ok=True)
    engine = Engine(services.environment, services.store)
    engine.start()
    yield engine
    engine.stop()


@pytest.mark.slow
def test_each_one_runs_to_success(services: Services, engine: Engine) -> None:
    runs = [services.runs.start(services.pipelines.create(template(key).document(key)).id) for key in KEYS]
    ended = [services.runs.wait(run.id, timeout_s=60) for run in runs]
    assert {run.pipeline_name: (run.status, run.error and run.error.message) for run in ended} == dict.fromkeys(
        KEYS, ("success", None)
    )
