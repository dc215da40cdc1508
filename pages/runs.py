"""All runs: filtered, watched, stopped and tried again in bulk."""

from datetime import timedelta

import streamlit as st

from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.ui import frame, lists, parts, place, run_rows
from etlml.ui.looks import TRIGGER_LABEL, look

services, user = frame.services(), frame.current_user()
STATES = ("success", "failed", "running", "pending", "cancelled", "missed")
TIMES = {
    "Any time": None,
    "Last hour": timedelta(hours=1),
    "Last 24 h": timedelta(days=1),
    "Last 7 d": timedelta(days=7),
    "Last 30 d": timedelta(days=30),
}
PAGE = 50


def filters() -> dict[str, object]:
    with st.container(horizontal=True, vertical_alignment="center"):
        query = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            placeholder="Search runs",
            icon=":material/search:",
            label_visibility="collapsed",
            width=220,
            live="300ms",
            type="search",
        )
        names = [pipeline.name for pipeline in services.pipelines.list(limit=200).items]
        pipeline = st.selectbox(
            "Pipeline",
            names,
            index=None,
            key="pipeline",
            bind="query-params",
            placeholder="All pipelines",
            label_visibility="collapsed",
            width=190,
        )
        state = st.selectbox(
            "State",
            STATES,
            index=None,
            key="state",
            bind="query-params",
            placeholder="All states",
            label_visibility="collapsed",
            width=140,
            format_func=lambda s: look(s).label,
        )
        trigger = st.selectbox(
            "Trigger",
            list(TRIGGER_LABEL),
            index=None,
            key="trigger",
            bind="query-params",
            placeholder="All triggers",
            label_visibility="collapsed",
            width=150,
            format_func=TRIGGER_LABEL.__getitem__,
        )
        time = st.selectbox(
            "Time", list(TIMES), key="time", bind="query-params", label_visibility="collapsed", width=130
        )
    span = TIMES[time or "Any time"]
    return {
        "q": query or None,
        "pipeline": pipeline,
        "status": state,
        "trigger": trigger,
        "since": utc_now() - span if span else None,
    }


@parts.fragment(run_every="3s")
def table(chosen: dict[str, object]) -> None:
    trail: list[str] = st.session_state.setdefault("runs_trail", [])
    if st.session_state.get("runs_filter") != {**chosen, "since": bool(chosen["since"])}:
        st.session_state["runs_filter"] = {**chosen, "since": bool(chosen["since"])}
        trail.clear()
    with parts.shown_errors():
        page = services.runs.list(**chosen, limit=PAGE, cursor=trail[-1] if trail else None)  # type: ignore[arg-type]
        happened = lists.draw(
            "runs",
            run_rows.RUN_COLUMNS,
            [run_rows.run_row(run) for run in page.items],
            picks=True,
            empty="No run fits these filters.",
        )
        foot(trail, page.next_cursor, happened.picked)
        if happened.opened:
            place.go("run", id=happened.opened)


def foot(trail: list[str], following: str | None, picked: tuple[str, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if picked and user.permits("operator"):
            st.caption(f"{len(picked)} chosen")
            for label, icon, action in (
                ("Retry", ":material/replay:", retry),
                ("Cancel", ":material/stop:", cancel),
                ("Delete", ":material/delete:", delete),
            ):
                if st.button(label, icon=icon, key=f"bulk_{label}"):
                    action(picked)
        st.space("stretch")
        if trail and st.button("Newer", icon=":material/chevron_left:", key="newer"):
            trail.pop()
            st.rerun(scope="fragment")
        if following and st.button("Older", icon=":material/chevron_right:", icon_position="right", key="older"):
            trail.append(following)
            st.rerun(scope="fragment")


def each(picked: tuple[str, ...], action: object, done: str) -> None:
    refused = 0
    for run_id in picked:
        try:
            action(run_id)  # type: ignore[operator]
        except EtlmlError:
            refused += 1
    lists.unpick("runs")
    parts.toast_later(f"{done}: {len(picked) - refused}." + (f" Not possible: {refused}." if refused else ""))
    st.rerun()


def retry(picked: tuple[str, ...]) -> None:
    each(picked, lambda run_id: services.runs.retry(run_id, author=user.name), "Started again")


def cancel(picked: tuple[str, ...]) -> None:
    each(picked, lambda run_id: services.runs.cancel(run_id, author=user.name), "Asked to stop")


def delete(picked: tuple[str, ...]) -> None:
    @st.dialog("Delete runs?")
    def ask() -> None:
        st.write(f"{len(picked)} runs are deleted for good. What they wrote to sinks, and their models, stay.")
        if st.button("Delete", type="primary", key="delete_runs"):
            each(picked, lambda run_id: services.runs.delete(run_id, author=user.name), "Deleted")

    ask()


parts.head("Runs")
table(filters())
