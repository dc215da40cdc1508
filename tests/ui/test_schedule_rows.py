"""Schedules and backfills as rows and as a time line: pure functions."""

from datetime import UTC, datetime, timedelta

import pytest

from etlml.documents import Backfill
from etlml.engine.fire_policy import Policy
from etlml.services.backfills import Progress
from etlml.services.fires import Fire
from etlml.services.schedules import Upcoming
from etlml.ui.schedule_rows import backfill_row, counts_text, outcome_cell, policy_facts, timeline_html

NOW = datetime(2026, 1, 5, 10, 20, tzinfo=UTC)
DAY = timedelta(hours=24)


def test_a_fire_stands_where_its_time_is_and_is_told_on_hover() -> None:
    text = timeline_html([Upcoming("p", "<a>", "daily", [NOW + DAY / 4])], NOW, UTC, DAY)
    assert 'left:25.00%" title="Mon 16:20"' in text
    assert "&lt;a&gt;" in text
    assert "Now 10:20" in text


def test_many_fires_are_one_band() -> None:
    fires = [NOW + timedelta(minutes=minute) for minute in range(1, 200)]
    text = timeline_html([Upcoming("p", "a", "every minute", fires)], NOW, UTC, DAY)
    assert text.count("<i ") == 1
    assert "199 fires" in text


@pytest.mark.parametrize(
    ("fire", "label"),
    [
        (Fire(NOW, "ran", "failed", "r"), "Failed"),
        (Fire(NOW, "missed", "missed", "r", "Late."), "Missed"),
        (Fire(NOW, "skipped", "missed", "r"), "Skipped"),
    ],
)
def test_an_outcome_has_its_word(fire: Fire, label: str) -> None:
    assert outcome_cell(fire)["label"] == label


def test_a_backfill_tells_how_far_it_is_and_what_can_be_done() -> None:
    backfill = Backfill(pipeline_id="p", pipeline_name="flights", since=NOW, until=NOW + DAY)
    progress = Progress(10, 4, {"success": 3, "failed": 1, "running": 2})
    cells = backfill_row(backfill, progress, UTC, may_edit=True)["cells"]
    assert cells["progress"] == {"value": 0.4, "text": "4 of 10", "tone": "bad"}
    assert [action["key"] for action in cells["do"]] == ["pause", "cancel"]
    assert counts_text(progress) == "3 success, 1 failed, 2 running, 4 to start"


def test_policies_are_told_in_words() -> None:
    policy = Policy(missed="all", missed_limit=3, overlap="skip", too_late_after_s=5400)
    assert policy_facts(policy) == {
        "Missed fires made up": "all of them, at most 3",
        "A fire while a run goes on": "is skipped",
        "Too late": "after 1 h 30 min",
    }
