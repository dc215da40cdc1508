"""A mend for Streamlit: what is left of a page no longer disturbs the page that was gone to.

While a page is switched, the browser may still send an event of the page before: a component that has just been mounted, a
timer of a live part. Streamlit 1.67 takes it for news of the page that is shown. It runs a part that is no longer there, and the
browser clears what it has just drawn: the page stays empty. If it comes before the switch has begun, it even takes its place.
And where both pages keep something in the URL under one name, such as their tab, the way back loses it: it is taken for that of
the page that is left.
"""

from dataclasses import replace
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests, ScriptRequestType

from etlml.services.hurry import hurried
from etlml.ui.mending import replaced

_run: Any = getattr(ScriptRunner, "_run_script", None)
_request: Any = getattr(ScriptRequests, "_request_rerun_locked", None)


def pass_over() -> bool:
    """From now on pass over events of pages that were left; False if this Streamlit is another one than we know."""
    runs = replaced(ScriptRunner, "_run_script", ["rerun_data"], _run_unless_late)
    requests = replaced(ScriptRequests, "_request_rerun_locked", ["new_data"], _request_unless_late)
    return runs and requests


def _run_unless_late(runner: ScriptRunner, rerun_data: RerunData) -> None:
    if _is_late(runner, rerun_data):
        return
    if rerun_data.is_history_navigation:
        _forget_bindings(runner, rerun_data)
    with hurried():  # whatever of a page runs, runs from here
        _run(runner, rerun_data)


def _is_late(runner: ScriptRunner, rerun_data: RerunData) -> bool:
    """Whether only parts are asked for that belong to another page than was shown last, or that are gone."""
    parts = rerun_data.fragment_id_queue
    if not parts:
        return False
    shown = runner._get_script_run_ctx().page_script_hash
    left = bool(shown) and rerun_data.page_script_hash not in ("", shown)
    return left or not any(runner._fragment_storage.contains(part) for part in parts)


def _forget_bindings(runner: ScriptRunner, rerun_data: RerunData) -> None:
    """Have all that the browser's way back brings in the URL be of the page that it leads to."""
    if rerun_data.page_script_hash == runner._get_script_run_ctx().page_script_hash:
        return
    with runner._session_state.query_params() as params:
        for widget in [*params._bindings_by_widget]:
            params.unbind_widget(widget)


def _request_unless_late(requests: ScriptRequests, new_data: RerunData) -> bool:
    """Note a request, its lock being held. An event of a part does not change where a waiting run of the page will lead.

    The script itself asks without the states of widgets: its URL is newer than any that the browser knows.
    """
    waiting = requests._rerun_data if requests._state == ScriptRequestType.RERUN else None
    if waiting is not None and (new_data.fragment_id or new_data.fragment_id_queue) and not waiting.fragment_id_queue:
        if new_data.page_script_hash != waiting.page_script_hash:
            return True
        if waiting.widget_states is None:
            new_data = replace(new_data, query_string=waiting.query_string)
    return bool(_request(requests, new_data))
