"""All pipelines: found, run, created."""

import streamlit as st

from etlml.errors import EtlmlError
from etlml.ui import frame, lists, new_pipeline, parts, place, recent, run_rows

services, user = frame.services(), frame.current_user()
MOST = 60
STATES = {"All": None, "Running": "running", "Failed": "failed", "Success": "success", "Never run": "idle"}


def head() -> tuple[str, str | None]:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head("Pipelines")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(
            "New pipeline",
            type="primary",
            icon=":material/add:",
            key="new_pipeline",
            disabled=not user.permits("editor"),
        ):
            new_pipeline.ask(services, user)
    with st.container(horizontal=True, vertical_alignment="center"):
        query = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            placeholder="Search by name or description",
            label_visibility="collapsed",
            icon=":material/search:",
            width=320,
            live="300ms",
            type="search",
        )
        state = st.segmented_control(
            "State",
            list(STATES),
            default="All",
            key="state",
            bind="query-params",
            label_visibility="collapsed",
            required=True,
        )
    return query or "", STATES[state or "All"]


@parts.fragment(run_every="3s")
def table(query: str, status: str | None) -> None:
    with parts.shown_errors():
        page = services.pipelines.list(q=query or None, status=status, limit=MOST)  # type: ignore[arg-type]
        if not page.items:
            nothing(bool(query or status))
            return
        fires = {
            fire["pipeline_id"]: lists.when(fire["at"]) for fire in services.stats.next_fires() if not fire["paused"]
        }
        history = recent.recent_runs(services, page.items)
        rows = [
            run_rows.pipeline_row(
                one,
                history[one.id],
                fires.get(one.id),
                may_run=user.permits("operator"),
            )
            for one in page.items
        ]
        happened = lists.draw("pipelines", run_rows.PIPELINE_COLUMNS, rows)
        if page.next_cursor:
            st.caption(f"The newest {MOST} are shown. Search for the others.")
        if happened.opened:
            place.go("pipeline", id=happened.opened)
        if happened.action == "run" and happened.row:
            start(happened.row)


def start(pipeline_id: str) -> None:
    try:
        run = services.runs.start(pipeline_id, author=user.name)
    except EtlmlError as error:
        st.toast(error.message, icon=":material/error:", duration="long")
        return
    parts.toast_later(f"Run of {run.pipeline_name} started.", ":material/play_arrow:")
    place.go("run", id=run.id)


def nothing(filtered: bool) -> None:
    if filtered:
        parts.empty("No pipeline fits", "Change the search or the state.")
    else:
        parts.empty(
            "No pipelines yet", "Press “New pipeline”: start from an example, from YAML, or from an empty canvas."
        )


if place.param("new"):
    place.set_params(new=None)
    new_pipeline.ask(services, user)
table(*head())
