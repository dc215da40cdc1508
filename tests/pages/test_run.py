"""A run's page in its states."""

from datetime import timedelta
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import ErrorInfo, Pipeline, Run, StepRun, Worker
from etlml.engine.engine import Engine
from etlml.services import Services
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document
from tests.services.test_comparing import NEW, OLD, a_run

TABS = ("Timeline", "Steps", "Rows", "Checks", "Logs", "Changes", "Details")


@pytest.fixture
def pipeline(services: Services) -> Pipeline:
    return services.pipelines.create(a_document())


def labels(app: Any) -> set[str]:
    return {button.label for button in app.button}


@pytest.mark.parametrize("tab", TABS)
def test_a_run_after_another_stands_in_every_tab(
    services: Services, open_page: Opens, pipeline: Pipeline, tab: str
) -> None:
    a_run(services, pipeline.id, 1, OLD, 2)
    run = a_run(services, pipeline.id, 1, NEW, 9)
    app = open_page("run.py", id=run.id, tab=tab, step="kept")
    assert not app.exception
    assert not app.error
    wanted = {
        "Rows": "etlml-download/rows",
        "Changes": "least: changed from 2 to 9",
        "Details": run.id,
        "Timeline": "gantt",
    }
    assert wanted.get(tab, "") in shown(app)


def test_a_first_run_has_nothing_to_be_compared_with(services: Services, open_page: Opens, pipeline: Pipeline) -> None:
    run = a_run(services, pipeline.id, 1, OLD, 2)
    app = open_page("run.py", id=run.id, tab="Changes")
    assert "No earlier success" in shown(app)


def test_a_failed_run_says_the_mend_and_where_to_go_on(
    services: Services, open_page: Opens, pipeline: Pipeline
) -> None:
    error = ErrorInfo(step="kept", type="StepError", message="Column x is empty. Fill it first.")
    run = a_run(services, pipeline.id, 1, OLD, 2, status="failed", error=error, warnings=3)
    app = open_page("run.py", id=run.id)
    assert "Run again from “kept”" in labels(app)
    assert '<p class="mend">Fill it first.' in shown(app).replace("\\", "")
    assert "3 warnings" in shown(app)


def test_a_waiting_run_says_for_what(services: Services, open_page: Opens, pipeline: Pipeline) -> None:
    run = services.runs.start(pipeline.id)
    app = open_page("run.py", id=run.id)
    assert "none is alive" in shown(app)
    assert "Stop" in labels(app)
    services.store.workers.beat(Worker(id="w", host="h", pid=1, slots=1, running=["x"], heartbeat_at=utc_now()))
    assert "every worker is busy" in shown(open_page("run.py", id=run.id))


def test_a_running_run_shows_how_far_it_is(services: Services, open_page: Opens, pipeline: Pipeline) -> None:
    now = utc_now()
    steps = [
        StepRun(id="rows", type="extract", status="success", started_at=now, finished_at=now),
        StepRun(id="kept", type="transform", status="running", started_at=now - timedelta(seconds=5)),
    ]
    run = Run(pipeline_id=pipeline.id, status="running", started_at=now, steps=steps, cancel_requested=True)
    services.store.runs.put(run)
    app = open_page("run.py", id=run.id)
    assert not app.exception
    assert "1 of 2 steps done" in shown(app)
    assert "is being stopped" in shown(app)


def test_a_missed_run_says_why(services: Services, open_page: Opens, pipeline: Pipeline) -> None:
    run = Run(pipeline_id=pipeline.id, pipeline_name="small", status="missed", trigger="schedule", reason="No worker.")
    services.store.runs.put(run)
    app = open_page("run.py", id=run.id)
    assert not app.exception
    assert "This fire was missed. No worker." in app.info[0].value


def test_a_run_of_a_deleted_pipeline_stands(services: Services, open_page: Opens, pipeline: Pipeline) -> None:
    run = a_run(services, pipeline.id, 1, OLD, 2)
    services.pipelines.delete(pipeline.id)
    app = open_page("run.py", id=run.id)
    assert not app.exception
    assert "This pipeline is deleted" in shown(app)


def test_a_run_of_sixty_steps_stands(services: Services, open_page: Opens) -> None:
    steps = [StepRun(id=f"s{number}", type="transform", status="success") for number in range(60)]
    run = services.store.runs.put(Run(pipeline_id="p", status="success", steps=steps))
    app = open_page("run.py", id=run.id)
    assert not app.exception
    assert shown(app).count("dot ok") >= 60


def test_the_runs_before_and_after_are_a_click_away(services: Services, open_page: Opens, pipeline: Pipeline) -> None:
    one, two = (a_run(services, pipeline.id, 1, OLD, least) for least in (1, 2))
    app = open_page("run.py", id=two.id)
    buttons = {button.key: button for button in app.button}
    assert (buttons["older"].disabled, buttons["newer"].disabled) == (False, True)
    app = open_page("run.py", id=one.id)
    buttons = {button.key: button for button in app.button}
    assert (buttons["older"].disabled, buttons["newer"].disabled) == (True, False)


@pytest.fixture
def fused_run(services: Services) -> Run:
    """A run of which the first step kept no rows: its source is a file."""
    document = a_document()
    (services.environment.data_dir / "rows.csv").write_text("id,x\n1,1.5\n2,\n3,4\n")
    document["steps"][0]["config"] = {"source": {"kind": "file", "path": "rows.csv"}}
    services.pipelines.create(document)
    engine = Engine(services.environment, services.store)
    engine.start()
    try:
        return services.runs.wait(services.runs.start("small").id, timeout_s=30)
    finally:
        engine.stop()


def test_a_step_that_kept_no_rows_shows_them_and_gives_them_as_files(
    services: Services, open_page: Opens, fused_run: Run
) -> None:
    assert fused_run.step("rows").checkpoint is None
    app = open_page("run.py", id=fused_run.id, tab="Rows", step="rows")
    assert "The first 3 of 3 rows, 2 columns. Computed again from the same sources." in shown(app)
    assert "etlml-download" not in shown(app)
    (make,) = [button for button in app.button if button.label == "Get all rows as a file"]
    make.click().run()
    assert "etlml-download/rows" in shown(app)
    assert not app.exception


def test_rows_of_another_source_are_not_shown(services: Services, open_page: Opens, fused_run: Run) -> None:
    (services.environment.data_dir / "rows.csv").write_text("id,x\n7,7\n")
    app = open_page("run.py", id=fused_run.id, tab="Rows", step="rows")
    assert "(rows.csv) has changed since" in shown(app)
    (way,) = [button for button in app.button if button.label == "The rows of kept"]
    way.click().run()
    assert app.query_params["step"] == "kept"
    assert "The first 2 of 2 rows, 2 columns." in shown(app)


def test_who_sees_a_result_has_done_the_second_step_of_the_guide(
    services: Services, open_page: Opens, pipeline: Pipeline
) -> None:
    run = a_run(services, pipeline.id, 1, OLD, 1)
    assert not services.guide.state("local").looked
    assert not open_page("run.py", id=run.id).exception
    assert services.guide.state("local").looked
