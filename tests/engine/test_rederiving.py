"""Rows of steps that kept none, computed again after real runs."""

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etlml.documents import Run
from etlml.errors import NotFound, StateConflict, StepTimeout
from etlml.services import Services, rows_again
from tests.engine.conftest import Workbench

pytestmark = pytest.mark.slow

PYTHON = {"op": "python", "code": "def transform(df):\n    return df.assign(n=df.n + 1)\n"}


@pytest.fixture
def numbers(bench: Workbench) -> Path:
    """A source of ten rows."""
    path = bench.data / "numbers.csv"
    path.write_text("n\n" + "".join(f"{n}\n" for n in range(10)))
    return path


@pytest.fixture
def services(bench: Workbench) -> Services:
    return Services(bench.store, bench.settings)


def steps(*middle: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The source, one transform for each list of ops, and a file."""
    changed = [
        {"id": f"t{number}", "type": "transform", "config": {"ops": ops}} for number, ops in enumerate(middle, 1)
    ]
    sink = {"kind": "file", "path": "out.csv"}
    return [
        {"id": "read", "type": "extract", "config": {"source": {"kind": "file", "path": "numbers.csv"}}},
        *changed,
        {"id": "save", "type": "load", "config": {"sink": sink, "mode": "append"}},
    ]


def more_than(least: int | str) -> dict[str, str]:
    return {"op": "filter", "where": f"n > {least}"}


def all_of(found: dict[str, Any]) -> list[int]:
    return [row["n"] for row in found["rows"]]


def fused(run: Run) -> list[str]:
    return [step.id for step in run.steps if step.checkpoint is None]


def test_every_step_of_a_run_shows_its_rows_and_gives_them_as_files(
    bench: Workbench, services: Services, numbers: Path
) -> None:
    run = bench.run(steps([more_than("${params.least}")], [more_than(5)]), params={"least": 3})
    assert fused(run) == ["read", "t1"]
    before = (bench.data / "out.csv").read_bytes()
    for step, rows, basis in (
        ("read", list(range(10)), "Computed again from the same sources."),
        ("t1", [4, 5, 6, 7, 8, 9], "Computed again from the same sources."),
        ("t2", [6, 7, 8, 9], ""),
        ("save", [6, 7, 8, 9], ""),
    ):
        found = services.run_rows.page(run.id, step)
        assert (all_of(found), found["total"], found["basis"]) == (rows, len(rows), basis)
        for form in ("csv", "parquet"):
            file = services.step_files.rows(run.id, step, form)
            assert [n for (n,) in duckdb.execute(f"SELECT n FROM '{file.path}'").fetchall()] == rows
            file.done()
    window = services.run_rows.page(run.id, "t1", limit=2, offset=3)
    assert (all_of(window), window["total"]) == ([7, 8], 6)
    assert (bench.data / "out.csv").read_bytes() == before, "nothing was loaded again"


def test_a_source_that_changed_is_named_and_no_other_rows_are_shown(
    bench: Workbench, services: Services, numbers: Path
) -> None:
    run = bench.run(steps([more_than(3)], [more_than(5)]))
    numbers.write_text("n\n100\n")
    with pytest.raises(
        StateConflict, match=r"source of 'read' \(numbers.csv\) has changed .* Look at the rows of 't2'"
    ):
        services.run_rows.page(run.id, "t1")
    numbers.unlink()
    with pytest.raises(StateConflict, match="source of 'read'"):
        services.step_files.rows(run.id, "t1", "csv")
    assert all_of(services.run_rows.page(run.id, "t2")) == [6, 7, 8, 9]


def test_a_run_up_to_the_step_keeps_its_rows_whatever_becomes_of_the_source(
    bench: Workbench, services: Services, numbers: Path
) -> None:
    pipeline = bench.pipeline(steps([more_than(3)], [more_than(5)]))
    run = bench.wait(bench.start(pipeline, until="t1"))
    numbers.unlink()
    assert all_of(services.run_rows.page(run.id, "t1")) == [4, 5, 6, 7, 8, 9]


def test_the_nearest_kept_rows_stand_in_for_a_source(bench: Workbench, services: Services, numbers: Path) -> None:
    document = steps([more_than(3)], [more_than(5)], [more_than(7)])
    document[1]["validations"] = [{"rule": "not_null", "column": "n"}]  # its rows are kept for the rule
    run = bench.run(document)
    assert fused(run) == ["read", "t2"]
    numbers.write_text("n\n100\n")
    found = services.run_rows.page(run.id, "t2")
    assert (all_of(found), found["basis"]) == ([6, 7, 8, 9], "Computed again from the rows that 't1' kept.")


def test_rows_by_the_pipeline_and_the_parameters_of_then(bench: Workbench, services: Services, numbers: Path) -> None:
    pipeline = bench.pipeline(steps([more_than("${params.least}")], [more_than(5)]), params={"least": 3})
    run = bench.wait(bench.start(pipeline, params={"least": 7}))
    bench.change(pipeline, steps([more_than(0)]))
    assert all_of(services.run_rows.page(run.id, "t1")) == [8, 9]


def test_steps_from_the_cache_show_their_rows_too(bench: Workbench, services: Services, numbers: Path) -> None:
    pipeline = bench.pipeline(steps([more_than(3)], [more_than(5)]))
    bench.wait(bench.start(pipeline))
    run = bench.wait(bench.start(pipeline))
    assert {step.id: step.status for step in run.steps} == {
        "read": "cached",
        "t1": "cached",
        "t2": "cached",
        "save": "success",
    }
    for step, rows in (("read", 10), ("t1", 6), ("t2", 4)):
        found = services.run_rows.page(run.id, step)
        assert (len(found["rows"]), found["total"]) == (rows, rows)


def test_rows_that_were_removed_are_computed_again(bench: Workbench, services: Services, numbers: Path) -> None:
    run = bench.run(steps([more_than(3)], [more_than(5)]))
    (bench.settings.runs_dir / (run.step("t2").checkpoint or "")).unlink()
    assert all_of(services.run_rows.page(run.id, "t2")) == [6, 7, 8, 9]
    assert all_of(services.run_rows.page(run.id, "save")) == [6, 7, 8, 9]


def test_what_ended_well_beside_a_failure_shows_its_rows(bench: Workbench, services: Services, numbers: Path) -> None:
    broken = [{"op": "derive", "columns": {"x": "CAST('a' || n AS INTEGER)"}}]
    run = bench.run(steps([more_than(3)], broken))
    assert (run.status, run.step("t1").status) == ("failed", "success")
    assert all_of(services.run_rows.page(run.id, "t1")) == [4, 5, 6, 7, 8, 9]
    with pytest.raises(StateConflict, match="See its error"):
        services.run_rows.page(run.id, "t2")


@pytest.mark.slow
def test_python_code_runs_again_unless_it_is_said_to_differ_each_time(
    bench: Workbench, services: Services, numbers: Path
) -> None:
    document = steps([PYTHON, more_than(8)], [more_than(9)])
    run = bench.run(document)
    assert run.step("t1").checkpoint is None
    found = services.run_rows.page(run.id, "t1")
    assert (all_of(found), found["basis"]) == (
        [9, 10],
        "Computed again from the same sources, running its Python code again.",
    )
    document[1]["cache"] = False
    run = bench.run(document, "q")
    with pytest.raises(StateConflict, match="'t1' gives something else each time"):
        services.run_rows.page(run.id, "t1")


def test_a_step_that_gives_something_else_each_time_is_refused(
    bench: Workbench, services: Services, numbers: Path
) -> None:
    run = bench.run(steps([{"op": "filter", "where": "random() >= 0"}], [more_than(5)]))
    with pytest.raises(StateConflict, match="'t1' gives something else each time"):
        services.run_rows.page(run.id, "t1")
    assert len(services.run_rows.page(run.id, "read")["rows"]) == 10


def test_other_rows_than_the_run_counted_are_not_sent(bench: Workbench, services: Services, numbers: Path) -> None:
    run = bench.run(steps([more_than(3)], [more_than(5)]))
    bench.store.runs.update(run.id, {"steps.1.rows_out": 5})
    with pytest.raises(StateConflict, match="gave 5 rows in this run, and 6"):
        services.step_files.rows(run.id, "t1", "csv")


def test_a_page_that_is_drawn_again_computes_nothing(bench: Workbench, services: Services, numbers: Path) -> None:
    run = bench.run(steps([more_than(3)], [more_than(5)]))
    first = services.run_rows.page(run.id, "t1")
    os.utime(numbers, (1, 1))
    assert services.run_rows.page(run.id, "t1") is first


def test_rows_that_take_too_long_say_what_to_do(
    bench: Workbench, services: Services, numbers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench.run(steps([more_than(3)], [more_than(5)]))
    monkeypatch.setattr(rows_again, "PAGE_S", 0.0)
    with pytest.raises(StepTimeout, match=r"takes too long\. Run the pipeline again up to 't1'"):
        services.run_rows.page(run.id, "t1")


def test_a_pipeline_that_is_no_longer_stored_is_said_to_be(bench: Workbench, services: Services, numbers: Path) -> None:
    run = bench.run(steps([more_than(3)], [more_than(5)]))
    bench.store.runs.update(run.id, {"pipeline_version": 9})
    with pytest.raises(StateConflict, match="no longer stored"):
        services.run_rows.page(run.id, "t1")
    with pytest.raises(NotFound):
        services.run_rows.page(run.id, "t9")
