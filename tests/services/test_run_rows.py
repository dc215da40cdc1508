"""The rows that a step of a run gave."""

import duckdb
import pytest

from etlml.documents import Run
from etlml.errors import NotFound, StateConflict
from etlml.services import Services
from tests.services.factories import a_document


@pytest.fixture
def run(services: Services) -> Run:
    services.pipelines.create(a_document())
    return services.runs.start("small", author="ann")


def test_gives_some_rows_columns_and_the_total(services: Services, run: Run) -> None:
    path = services.environment.runs_dir / run.id / "rows.parquet"
    path.parent.mkdir()
    duckdb.sql("SELECT range AS id, 1.5 AS x FROM range(1000)").write_parquet(str(path))
    services.store.runs.update(run.id, {"steps.0.checkpoint": f"{run.id}/rows.parquet"})
    found = services.run_rows.page(run.id, "rows", limit=2, offset=5)
    assert found["columns"] == [{"name": "id", "type": "BIGINT"}, {"name": "x", "type": "DECIMAL(2,1)"}]
    assert found["rows"] == [{"id": 5, "x": 1.5}, {"id": 6, "x": 1.5}]
    assert found["total"] == 1000


def test_step_without_rows_whose_source_nobody_knows_says_where_to_look(services: Services, run: Run) -> None:
    services.store.runs.update(run.id, {"steps.0.status": "success", "steps.0.fused_into": "kept"})
    with pytest.raises(StateConflict, match=r"can't be computed again: .* Look at the rows of 'kept'"):
        services.run_rows.page(run.id, "rows")


def test_step_that_waits_says_so(services: Services, run: Run) -> None:
    with pytest.raises(StateConflict, match="has not started yet"):
        services.run_rows.page(run.id, "rows")


def test_checkpoint_that_is_gone_is_told_apart(services: Services, run: Run) -> None:
    services.store.runs.update(run.id, {"steps.0.checkpoint": f"{run.id}/rows.parquet"})
    with pytest.raises(StateConflict, match="The rows of step 'rows' are no longer kept"):
        services.run_rows.page(run.id, "rows")


def test_unknown_step_gets_the_nearest(services: Services, run: Run) -> None:
    with pytest.raises(NotFound, match="Did you mean 'rows'"):
        services.run_rows.page(run.id, "row")
