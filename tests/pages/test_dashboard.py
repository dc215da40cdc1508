"""The dashboard in its states."""

from datetime import timedelta

import pytest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.services import Services
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document


class TestGuide:
    def test_it_counts_what_is_done(self, seeded: Services, open_page: Opens) -> None:
        app = open_page("dashboard.py")
        assert "First steps" in shown(app)
        assert "of 3 done" in shown(app)

    def test_it_goes_away_when_dismissed_and_can_be_asked_for(self, seeded: Services, open_page: Opens) -> None:
        app = open_page("dashboard.py")
        app.button(key="guide_hide").click().run()
        assert not app.exception
        assert "of 3 done" not in shown(app)
        assert "of 3 done" not in shown(open_page("dashboard.py"))
        app.button(key="guide_show").click().run()
        assert "of 3 done" in shown(app)

    def test_it_goes_away_when_all_is_done(self, seeded: Services, open_page: Opens) -> None:
        seeded.pipelines.create(a_document(name="mine"))
        seeded.guide.note("local", looked=True)
        assert "of 3 done" not in shown(open_page("dashboard.py"))

    def test_the_button_leads_to_a_result_and_counts_it(self, seeded: Services, open_page: Opens) -> None:
        app = open_page("dashboard.py")
        app.button(key="guide_look").click().run()
        assert not app.exception
        assert seeded.guide.state("local").looked


@pytest.mark.parametrize("chosen", ["24 h", "7 d", "30 d", "90 d"])
def test_the_range_is_in_the_url(seeded: Services, open_page: Opens, chosen: str) -> None:
    app = open_page("dashboard.py", range=chosen)
    assert not app.exception
    assert app.segmented_control(key="range").value == chosen


def test_missed_fires_say_why(seeded: Services, open_page: Opens) -> None:
    at = utc_now() - timedelta(hours=2)
    run = Run(
        pipeline_id="p",
        pipeline_name="nightly",
        status="missed",
        trigger="schedule",
        scheduled_for=at,
        created_at=at,
        reason="The computer was off.",
    )
    seeded.store.runs.add(run)
    page = shown(open_page("dashboard.py"))
    assert "nightly" in page
    assert "The computer was off." in page


def test_models_in_production_and_failures_are_listed(seeded: Services, open_page: Opens) -> None:
    page = shown(open_page("dashboard.py", range="30 d"))
    assert "late-flight v1.2" in page
    assert "Failures" in page


def test_the_strip_says_the_mend_of_a_problem(seeded: Services, open_page: Opens) -> None:
    seeded.store.workers.remove("demo")
    page = shown(open_page("dashboard.py"))
    assert "no heartbeat" in page
    assert "etlml worker" in page


def test_a_paused_schedule_is_not_among_the_next_fires(services: Services, open_page: Opens) -> None:
    for name in ("works", "rests"):
        pipeline = services.pipelines.create(a_document(name=name, schedule="0 * * * *"))
    services.schedules.pause("rests")
    services.runs.start(pipeline.id)
    text = shown(open_page("dashboard.py"))
    assert "24 fires" in text
    assert "and 23 more until" in text
