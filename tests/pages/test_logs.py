"""The logs page in its states."""

from datetime import timedelta

import pytest

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
