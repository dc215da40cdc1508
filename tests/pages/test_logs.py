"""The logs page in its states."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from etlml.clock import utc_now
from etlml.documents import AuditEntry, LogEntry
from etlml.services import Services
from tests.pages.conftest import Opens, shown


@pytest.fixture
def logged(services: Services) -> Services:
    """Some lines of the last half hour: equal problems, a traceback, a long one."""
    now = utc_now()

    def line(minutes: int, message: str, level: str = "INFO", **more: object) -> LogEntry:
        return LogEntry(ts=now - timedelta(minutes=minutes), level=level, message=message, **more)

    services.store.logs.add_many(
        [line(number, f"Took {number} s to read 'in/{number}.csv'", "WARNING") for number in range(1, 6)]
        + [line(9, "It broke", "ERROR", source="worker", fields={"traceback": "Traceback\n  in a\nKeyError: 'b'"})]
        + [line(12, "All is well")]
    )
    return services


def test_lines_are_shown_with_their_counts(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py")
    assert not app.exception
    levels = app.segmented_control(key="level").options
    assert [str(each) for each in levels] == ["Debug 0", "Info 1", "Warning 5", "Error 1", "Critical 0"]
    assert "All is well" in shown(app)
    assert "<details><summary>" in shown(app)


def test_only_the_asked_level_and_above(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", level="ERROR")
    assert "It broke" in shown(app)
    assert "All is well" not in shown(app)


def test_a_pattern_that_cannot_be_used_is_explained(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", q="(a", regex="true")
    assert not app.exception
    assert "cannot be used" in app.error[0].value


def test_a_stretch_in_the_url_stops_the_live_view_and_leads_back(logged: Services, open_page: Opens) -> None:
    now = utc_now()
    since, until = now - timedelta(minutes=14), now - timedelta(minutes=11)
    app = open_page("logs.py", **{"from": since.isoformat(), "to": until.isoformat()})
    assert "All is well" in shown(app)
    assert "It broke" not in shown(app)
    app.button(key="log_zoom_out").click().run()
    assert "from" not in app.query_params
    assert "It broke" in shown(app)


def levels(app: AppTest) -> list[str]:
    return [str(each) for each in app.segmented_control(key="level").options]


@pytest.mark.parametrize("tab", ["Lines", "Groups"])
def test_counts_are_of_what_the_search_finds(logged: Services, open_page: Opens, tab: str) -> None:
    app = open_page("logs.py", q="^(took|it broke)", regex="true", tab=tab)
    assert not app.exception
    assert levels(app) == ["Debug 0", "Info 0", "Warning 5", "Error 1", "Critical 0"]
    assert levels(open_page("logs.py", source="worker", tab=tab))[2:] == ["Warning 0", "Error 1", "Critical 0"]


def test_the_level_is_the_same_in_both_tabs(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", tab="Groups", level="ERROR")
    assert app.segmented_control(key="level").value == "ERROR"
    assert "It broke" in shown(app)
    assert "Took # s" not in shown(app)


def test_filters_that_are_on_stand_below_and_are_taken_away_by_a_click(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", source="worker", run="none", step="clean")
    assert "Source: worker" in shown(app)
    assert "Filters · 3" in shown(app)
    app.button(key="log_chip_run").click().run()
    assert "run" not in app.query_params
    app.button(key="log_clear").click().run()
    assert not {"source", "step"} & set(app.query_params)
    assert "All is well" in shown(app)


def test_a_pause_holds_the_lines_and_counts_new_ones(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py")
    app.button(key="log_pause").click().run()
    assert "paused" in app.query_params
    logged.store.logs.add_many([LogEntry(ts=utc_now(), message="Fresh news", level="INFO") for _ in range(2)])
    app.run()
    assert "Fresh news" not in shown(app)
    assert app.button(key="log_new_lines").label == "2 new lines"
    app.button(key="log_new_lines").click().run()
    assert "Fresh news" in shown(app)
    assert "paused" not in app.query_params


def test_older_lines_keep_their_place_in_the_url(logged: Services, open_page: Opens) -> None:
    logged.store.logs.add_many(
        LogEntry(ts=utc_now() - timedelta(seconds=300 - n), message=f"number {n:03}") for n in range(250)
    )
    app = open_page("logs.py")
    app.button(key="log_older").click().run()
    assert "number 005" in shown(app)
    assert "number 249" not in shown(app)
    assert {"after", "paused"} <= set(app.query_params)
    app.button(key="log_newest").click().run()
    assert "number 249" in shown(app)


def test_a_place_in_the_url_that_is_none_is_passed_over(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", after="nowhere")
    assert not app.exception
    assert "All is well" in shown(app)


def test_an_empty_result_says_what_lower_levels_have(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", q="well", level="ERROR")
    assert "One line fits at lower levels than Error." in shown(app)
    assert "take a filter away" in shown(open_page("logs.py", q="<b>[nothing](x)&amp;"))


def test_a_line_leads_to_its_step_and_can_be_copied(logged: Services, open_page: Opens) -> None:
    logged.store.logs.add_many([LogEntry(message="Done", run_id="r 1", step_id="clean", ts=utc_now())])
    found = shown(open_page("logs.py")).replace("&amp;", "&")
    assert "run?id=r+1&step=clean" in found
    assert "Copy this line" in found


def test_what_is_shown_can_be_had_as_commands(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", q="it's", level="WARNING")
    found = shown(app)
    assert "etlml logs --all --level WARNING" in found
    assert "/logs/volume?" in found
    assert "--output etlml.log" in found


def test_nonsense_in_the_url_is_passed_over(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", **{"from": "yesterday", "to": "?"})
    assert not app.exception
    assert "All is well" in shown(app)


def test_everything_that_fits_can_be_had_as_a_file(logged: Services, open_page: Opens) -> None:
    app = open_page("logs.py", level="WARNING", source="worker")
    assert "etlml-export/logs?source=worker&" in shown(app).replace("&amp;", "&")
    assert "All 1 lines" in shown(app)


class TestGroups:
    def test_equal_problems_are_one_row(self, logged: Services, open_page: Opens) -> None:
        app = open_page("logs.py", tab="Groups")
        assert not app.exception
        assert "Took # s to read" in shown(app)

    def test_a_group_shows_its_lines_and_leads_back(self, logged: Services, open_page: Opens) -> None:
        key = logged.logs.groups()[0].key
        app = open_page("logs.py", tab="Groups", group=key)
        assert "Took 3 s" in shown(app)
        assert "It broke" not in shown(app)
        app.button(key="log_groups_all").click().run()
        assert "group" not in app.query_params

    def test_a_group_that_is_gone_says_so(self, logged: Services, open_page: Opens) -> None:
        assert "There are none left" in shown(open_page("logs.py", tab="Groups", group="gone"))


class TestAudit:
    @pytest.fixture
    def deeds(self, services: Services) -> Services:
        for number in range(60):
            services.store.audit.add(
                AuditEntry(actor="ada" if number % 2 else "bob", action="deleted", kind="pipeline", key=f"p{number}")
            )
        return services

    def test_is_filtered_by_who(self, deeds: Services, open_page: Opens) -> None:
        app = open_page("logs.py", tab="Audit", who="ada")
        assert not app.exception
        assert "ada deleted" in shown(app)
        assert "bob deleted" not in shown(app)

    def test_has_pages(self, deeds: Services, open_page: Opens) -> None:
        app = open_page("logs.py", tab="Audit")
        assert "p59" in shown(app)
        app.button(key="audit_older").click().run()
        assert "p59" not in shown(app)
        assert "p3" in shown(app)

    def test_says_when_nothing_is_like_that(self, deeds: Services, open_page: Opens) -> None:
        assert "Nobody did anything like that" in shown(open_page("logs.py", tab="Audit", action="painted"))
