"""Events of a page that was left."""

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from etlml.store import answering
from etlml.ui import late_events

ASKED = WidgetStates()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[RerunData]:
    """What really runs."""
    found: list[RerunData] = []
    monkeypatch.setattr(ScriptRunner, "_run_script", ScriptRunner._run_script)
    monkeypatch.setattr(ScriptRequests, "_request_rerun_locked", ScriptRequests._request_rerun_locked)
    monkeypatch.setattr(late_events, "_run", lambda _, data: found.append(data))
    assert late_events.pass_over()
    return found


def run(data: RerunData, *, shown: str, known: tuple[str, ...] = ("part",)) -> None:
    runner: Any = SimpleNamespace(
        _get_script_run_ctx=lambda: SimpleNamespace(page_script_hash=shown),
        _fragment_storage=SimpleNamespace(contains=known.__contains__),
    )
    ScriptRunner._run_script(runner, data)


def part_of(page: str, query: str = "") -> RerunData:
    return RerunData(page_script_hash=page, query_string=query, fragment_id_queue=["part"], widget_states=ASKED)


def test_a_part_of_the_page_that_is_shown_runs(ran: list[RerunData]) -> None:
    run(part_of("here"), shown="here")
    run(part_of("here"), shown="")
    assert len(ran) == 2


def test_whatever_runs_does_not_wait_twice_for_the_database(
    ran: list[RerunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried: list[bool] = []
    monkeypatch.setattr(late_events, "_run", lambda *_: hurried.append(answering._hurried.get()))
    run(part_of("here"), shown="here")
    run(RerunData(page_script_hash="here"), shown="here")
    assert hurried == [True, True]


def test_a_part_of_a_page_that_was_left_or_that_is_gone_does_not_run(ran: list[RerunData]) -> None:
    run(part_of("left"), shown="here")
    run(part_of("here"), shown="here", known=())
    assert ran == []


def test_a_whole_page_always_runs(ran: list[RerunData]) -> None:
    run(RerunData(page_script_hash="there"), shown="here")
    assert len(ran) == 1


def waiting_after(*asked: RerunData) -> RerunData:
    requests = ScriptRequests()
    for each in asked:
        assert requests.request_rerun(each)
    return requests.on_scriptrunner_ready().rerun_data


@pytest.mark.usefixtures("ran")
def test_a_late_event_does_not_take_the_place_of_a_switch_of_pages() -> None:
    switch = RerunData(page_script_hash="there", query_string="id=new", widget_states=ASKED)
    found = waiting_after(switch, part_of("here", "id=old"))
    assert (found.page_script_hash, found.query_string, found.fragment_id_queue) == ("there", "id=new", [])


@pytest.mark.usefixtures("ran")
def test_a_late_event_does_not_bring_back_the_url_that_the_script_left() -> None:
    switch = RerunData(page_script_hash="here", query_string="id=new")
    found = waiting_after(switch, part_of("here", "id=old"))
    assert found.query_string == "id=new"


@pytest.mark.usefixtures("ran")
def test_what_the_browser_asks_later_on_the_same_page_counts() -> None:
    asked = RerunData(page_script_hash="here", query_string="q=a", widget_states=ASKED)
    assert waiting_after(asked, part_of("here", "q=ab")).query_string == "q=ab"
    assert waiting_after(part_of("here", "q=a"), part_of("here", "q=ab")).query_string == "q=ab"
