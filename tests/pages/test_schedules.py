"""The page of schedules in its states, its dialog for backfills, its history."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.engine.backfilling import Backfilling
from etlml.engine.schedules import OVERLAP_REASON
from etlml.services import Services
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document


@pytest.fixture
def scheduled(services: Services) -> Services:
    """With one schedule that ran, was missed and was skipped, and one that is paused."""
    pipeline = services.pipelines.create(a_document(schedule="0 6 * * 1-5", timezone="Europe/Berlin"))
    services.pipelines.create(a_document(name="stopped", schedule="@hourly"))
    services.schedules.pause("stopped")
    for hours, status, reason in (
        (3, "success", None),
        (2, "missed", "2.0 h late; the schedule gives up after 1.0 h."),
        (1, "missed", f"Run abc {OVERLAP_REASON}"),
    ):
        at = utc_now() - timedelta(hours=hours)
        fields = {"pipeline_id": pipeline.id, "trigger": "schedule", "scheduled_for": at, "created_at": at}
        services.store.runs.add(Run.model_validate({**fields, "status": status, "reason": reason}))
    return services


def stands(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def in_dialog(app: AppTest) -> str:
    """All text of the page and of the dialog over it."""
    return "\n".join(
        str(getattr(element, "proto", element)) for block in app._tree.children.values() for element in block
    )


def test_without_schedules_it_says_how_to_get_one(open_page: Opens) -> None:
    assert "No schedules yet" in shown(stands(open_page("schedules.py")))


def test_it_tells_schedules_in_words_and_the_next_day(scheduled: Services, open_page: Opens) -> None:
    text = shown(stands(open_page("schedules.py")))
    assert "at 06:00 on weekdays, Europe/Berlin" in text
    assert "Next 24 hours" in text
    assert "2, 1 paused" in text


def test_one_schedule_shows_its_history_and_policies_and_can_be_paused(scheduled: Services, open_page: Opens) -> None:
    pipeline = scheduled.pipelines.get("small")
    app = stands(open_page("schedules.py", schedule=pipeline.id))
    text = shown(app)
    assert "gives up after 1.0 h" in text
    assert "Missed fires made up" in text
    app.button(key="pause_one").click().run()
    stands(app)
    assert scheduled.pipelines.get("small").options.paused


def test_history_is_filtered_by_outcome(scheduled: Services, open_page: Opens) -> None:
    text = shown(stands(open_page("schedules.py", schedule=scheduled.pipelines.get("small").id, outcome="Skipped")))
    assert "was still going on" in text
    assert "gives up after" not in text


def test_a_schedule_that_is_gone_says_so(services: Services, open_page: Opens) -> None:
    assert "has no schedule" in shown(stands(open_page("schedules.py", schedule="nothing")))


def dialog() -> None:
    """The dialog's content as a page: Streamlit's test runner closes dialogs at each rerun."""
    from etlml.ui import backfill_dialog, frame

    backfill_dialog.draw(frame.services(), frame.current_user())


class TestBackfill:
    def test_the_dialog_shows_the_moments_before_it_starts_them(self, scheduled: Services) -> None:
        app = AppTest.from_function(dialog, default_timeout=30).run()
        app.date_input(key="backfill_from").set_value(utc_now().date() - timedelta(days=14)).run()
        assert "Runs to start" in shown(stands(app))
        start = app.button(key="backfill_start")
        start.click().run()
        (backfill,) = scheduled.backfills.list().items
        assert start.label == f"Start {len(backfill.intervals)} runs"

    def test_a_range_that_ends_before_it_starts_is_refused_in_words(self, scheduled: Services) -> None:
        app = AppTest.from_function(dialog, default_timeout=30).run()
        app.date_input(key="backfill_to").set_value(utc_now().date() - timedelta(days=30)).run()
        assert "ends before it starts" in shown(stands(app))
        assert app.button(key="backfill_start").disabled

    def test_without_a_schedule_there_is_nothing_to_make_up_for(self, services: Services, open_page: Opens) -> None:
        services.pipelines.create(a_document())
        app = open_page("schedules.py")
        app.button(key="backfill").click().run()
        assert "No pipeline has a schedule" in in_dialog(stands(app))

    def test_backfills_are_listed_with_their_progress(self, scheduled: Services, open_page: Opens) -> None:
        now = utc_now()
        scheduled.backfills.start("small", now - timedelta(days=14), now, parallel=2)
        Backfilling(scheduled.store, utc_now).tick()
        text = shown(stands(open_page("schedules.py", tab="Backfills")))
        assert "2 waiting" in text
        assert "to start" in text

    def test_without_backfills_it_says_what_they_are(self, services: Services, open_page: Opens) -> None:
        assert "No backfills yet" in shown(stands(open_page("schedules.py", tab="Backfills")))
