"""Errors as cards, states as pills, log lines as HTML."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from etlml.documents import ErrorInfo, LogEntry, RuleResult
from etlml.errors import ColumnMissing
from etlml.ui import log_view, parts, validation_view


@pytest.mark.parametrize(
    ("message", "wrong", "mend"),
    [
        ("There is no file 'a.csv'. Did you mean 'b.csv'?", "There is no file 'a.csv'.", "Did you mean 'b.csv'?"),
        ("It broke.", "It broke.", ""),
        ("A is wrong. B too. Choose another one.", "A is wrong. B too.", "Choose another one."),
    ],
)
def test_an_error_is_what_was_wrong_and_the_mend(message: str, wrong: str, mend: str) -> None:
    assert parts.split_mend(message) == (wrong, mend)


def test_an_error_card_names_the_step() -> None:
    card = parts.error_html(
        ErrorInfo(step="clean", type="ColumnMissing", message=str(ColumnMissing("dely", ["delay"])))
    )
    assert "Step clean" in card
    assert 'class="mend"' in card


def test_what_users_wrote_is_shown_and_not_run() -> None:
    evil = "<img src=x onerror=alert(1)>"
    assert evil not in parts.error_html(ErrorInfo(type="X", message=evil))
    assert evil not in parts.pill_html("success", evil)
    assert evil not in parts.facts_html({"Trigger": evil})
    assert evil not in log_view.log_html([LogEntry(message=evil, source=evil)], zone=UTC)


def test_a_traceback_in_the_log_is_folded() -> None:
    shown = log_view.log_html([LogEntry(message="It broke\nline 1\nline 2", level="ERROR")], zone=UTC)
    assert "<summary>2 more lines</summary>" in shown


def test_what_was_searched_for_is_marked() -> None:
    assert "<mark>Step</mark>" in log_view.log_html([LogEntry(message="Step 'a' started")], zone=UTC, query="step")


def test_each_day_of_the_log_has_its_heading_once() -> None:
    times = [datetime(2026, 11, day, hour, tzinfo=UTC) for day, hour in ((22, 9), (22, 8), (21, 7))]
    shown = log_view.log_html([LogEntry(message="x", ts=ts) for ts in times], zone=UTC)
    assert shown.count('class="day"') == 2


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            RuleResult(rule="between", column="distance", arguments={"min": 1, "max": 9}, success=True),
            "distance between 1 and 9",
        ),
        (RuleResult(rule="between", column="distance", arguments={"min": 1}, success=True), "distance at least 1"),
        (RuleResult(rule="not_null", column="flight", success=True), "flight is not missing"),
        (
            RuleResult(rule="in_set", column="origin", arguments={"values": ["EWR", "JFK"]}, success=True),
            "origin is one of EWR, JFK",
        ),
        (RuleResult(rule="sql", arguments={"where": "a > b"}, success=True), "a > b"),
        (RuleResult(rule="freshness", column="day", success=True), "freshness day"),
    ],
)
def test_a_rule_is_said_as_a_person_would(rule: RuleResult, text: str) -> None:
    assert validation_view.rule_name(rule) == text


@pytest.mark.parametrize(
    ("observed", "text"),
    [
        ({"min": 17, "max": 4983.0}, "min 17, max 4,983"),
        ({"failing": [{"value": "female", "rows": 1650}, {"value": None, "rows": 11}]}, "female (1,650), – (11)"),
        ({"distinct": 3, "duplicated": 1, "failing": []}, "distinct 3, duplicated 1"),
        (None, ""),
    ],
)
def test_what_a_rule_saw_is_told_in_words(observed: object, text: str) -> None:
    assert validation_view.seen(observed) == text


def test_a_late_event_with_the_url_of_another_thing_does_not_change_what_a_fragment_is_about() -> None:
    def script() -> None:
        import streamlit as st

        from etlml.ui import parts

        @parts.fragment(about={"id": "new"})
        def draw() -> None:
            st.text(st.query_params["id"])

        draw()

    app = AppTest.from_function(script)
    app.query_params["id"] = "former"
    app.run()
    assert app.text[0].value == "new"
    assert app.query_params["id"] in ("new", ["new"])
