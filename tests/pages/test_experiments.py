"""The experiments page: the list, the ranking, the comparison; one experiment."""

from datetime import timedelta
from pathlib import Path

import pytest

from etlml.clock import utc_now
from etlml.documents import Experiment, MetricPoint
from etlml.services import Services
from etlml.ui.experiment_view import class_report, within_home
from tests.pages.conftest import Opens, shown


def add(services: Services, name: str, minutes: int = 0, **fields: object) -> Experiment:
    at = utc_now() - timedelta(minutes=minutes)
    given = {"name": name, "status": "completed", "created_at": at, "finished_at": at + timedelta(seconds=3)}
    return services.store.experiments.add(Experiment.model_validate(given | fields))


@pytest.mark.parametrize(("order", "first"), [("Best accuracy", "good"), ("Best log loss", "small")])
def test_they_are_ranked_by_a_metric_the_good_way(services: Services, open_page: Opens, order: str, first: str) -> None:
    add(services, "newest", metrics={"accuracy": 0.5, "log_loss": 0.5})
    add(services, "good", 1, metrics={"accuracy": 0.9, "log_loss": 0.8})
    add(services, "small", 2, metrics={"accuracy": 0.7, "log_loss": 0.1})
    app = open_page("experiments.py", order=order)
    assert not app.exception
    text = shown(app)
    assert min(("newest", "good", "small"), key=text.index) == first


def test_a_project_filter_appears_with_the_second_project(services: Services, open_page: Opens) -> None:
    add(services, "one", project="fares")
    assert all(box.label != "Project" for box in open_page("experiments.py").selectbox)
    add(services, "two", 1, project="delays")
    app = open_page("experiments.py", project="delays")
    assert "two" in shown(app)
    assert 'text\\": \\"one' not in shown(app)


def test_many_come_page_by_page(services: Services, open_page: Opens) -> None:
    for number in range(55):
        add(services, f"e{number}", number)
    app = open_page("experiments.py")
    app.button(key="experiments_older").click().run()
    assert "5 experiments on this page" in shown(app)


def test_a_comparison_with_one_that_is_gone_says_so(services: Services, open_page: Opens) -> None:
    there = add(services, "one")
    app = open_page("experiments.py", compare=f"{there.id},gone")
    assert "There is no" in app.error[0].value
    assert not app.exception


def test_a_failed_experiment_says_why(services: Services, open_page: Opens) -> None:
    error = {"type": "TrainingFailed", "message": "The target has one value only. Choose another column."}
    failed = add(services, "broken", status="failed", error=error)
    app = open_page("experiment.py", id=failed.id)
    assert "Choose another column." in shown(app)
    assert not app.exception


def test_how_far_a_training_is_is_a_bar_and_no_curve(services: Services, open_page: Opens) -> None:
    going = add(services, "going", status="running")
    services.store.metric_points.add_many(
        MetricPoint(experiment_id=going.id, key=key, step=1, value=0.4) for key in ("progress", "validation_accuracy")
    )
    text = shown(open_page("experiment.py", id=going.id))
    assert "Learning, 40 %" in text
    assert "validation accuracy" in text
    assert '"name": "progress"' not in text.replace("\\", "")


def test_the_rows_of_each_class_are_called_rows() -> None:
    report = [{"class": "a", "f1_score": 0.5, "support": 15230}]
    assert class_report({"class_report": report}) == [{"class": "a", "f1 score": 0.5, "rows": "15,230"}]


@pytest.mark.parametrize(
    ("path", "told"),
    [("/home/e/runs/r/a.parquet", "runs/r/a.parquet"), ("/data/a.parquet", "/data/a.parquet"), (None, "–")],
)
def test_data_of_the_platforms_own_folder_is_told_short(path: str | None, told: str) -> None:
    assert within_home(path, Path("/home/e")) == told
