"""Toasts for what ended in the background."""

from datetime import timedelta

import pytest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.services import Services
from tests.pages.conftest import Opens


def ended(services: Services, id: str, **fields: object) -> Run:
    known = {"pipeline_name": "small_one", "status": "success", "duration_s": 2.0, "triggered_by": "local"}
    made = {"id": id, "pipeline_id": "p", "finished_at": utc_now(), **known, **fields}
    return services.store.runs.put(Run.model_validate(made))


def test_a_run_of_the_viewer_that_ended_elsewhere_is_told_once(services: Services, open_page: Opens) -> None:
    ended(services, "before")
    app = open_page("models.py")
    assert not app.toast
    ended(services, "good")
    ended(services, "bad", status="failed")
    told = [each.value for each in app.run().toast]
    assert told == [
        "**small\\_one**: success in 2.0 s. [Open](run?id=good)",
        "**small\\_one**: failed in 2.0 s. [Open](run?id=bad)",
    ]
    assert not app.run().toast


@pytest.mark.parametrize("fields", [{"triggered_by": "ada"}, {"trigger": "schedule"}, {"trigger": "backfill"}])
def test_runs_of_others_are_no_news(services: Services, open_page: Opens, fields: dict[str, str]) -> None:
    app = open_page("models.py")
    ended(services, "r", **fields)
    assert not app.run().toast


def test_many_at_once_are_one_line(services: Services, open_page: Opens) -> None:
    app = open_page("models.py")
    for number in range(5):
        ended(services, f"r{number}", status="failed" if number else "success")
    assert [each.value for each in app.run().toast] == ["5 runs ended: 1 success, 4 failed."]


def test_a_run_that_ended_a_moment_ago_but_was_written_late_is_told(services: Services, open_page: Opens) -> None:
    app = open_page("models.py")
    ended(services, "r", finished_at=utc_now() - timedelta(seconds=5))
    assert len(app.run().toast) == 1
