"""What is replaced in Streamlit is what we know; anything else is left alone."""

import inspect
import logging
from dataclasses import fields

import pytest
from streamlit.runtime import app_session
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.state.query_params import QueryParams

from etlml.ui.mending import replaced


class Known:
    def draw(self, text: str) -> str:
        return text


def mended(_: Known, text: str) -> str:
    return f"mended {text}"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Known, "draw", Known.draw)


def test_a_known_method_is_replaced_however_often_that_is_asked_for() -> None:
    assert replaced(Known, "draw", ["text"], mended)
    assert replaced(Known, "draw", ["text"], mended)
    assert Known().draw("a") == "mended a"


@pytest.mark.parametrize(("name", "parameters"), [("draw", ["text", "colour"]), ("gone", ["text"])])
def test_another_method_is_left_alone_with_a_line_in_the_log(
    name: str, parameters: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert not replaced(Known, name, parameters, mended)
    assert Known().draw("a") == "a"
    assert f"another Known.{name}" in caplog.text


def test_streamlit_still_has_what_the_mends_look_at() -> None:
    assert hasattr(ScriptRunner, "_get_script_run_ctx")
    assert "_fragment_storage" in ScriptRunner.__init__.__code__.co_names
    assert {"_state", "_rerun_data"} <= set(ScriptRequests.__init__.__code__.co_names)
    wanted = {
        "query_string",
        "widget_states",
        "page_script_hash",
        "fragment_id",
        "fragment_id_queue",
        "is_history_navigation",
    }
    assert wanted <= {field.name for field in fields(RerunData)}
    assert "_session_state" in ScriptRunner.__init__.__code__.co_names
    assert {"_bindings_by_widget", "_bindings_by_param"} <= set(QueryParams.unbind_widget.__code__.co_names)
    start = inspect.getsource(app_session.AppSession._create_new_session_message)
    assert all(part in start for part in ("main_script_path", "session_id", "custom_theme"))
