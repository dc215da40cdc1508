"""One run: its graph live, when each step worked, rows, checks, logs, and what went wrong."""

from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.ui import (
    canvas,
    drafts,
    frame,
    gantt,
    graph,
    lists,
    log_view,
    parts,
    place,
    preview,
    run_rows,
    step_list,
    validation_view,
)
from etlml.ui import format as words
from etlml.ui.looks import TRIGGER_LABEL

services, user = frame.services(), frame.current_user()
MAY_RUN = user.permits("operator")
TABS = ("Timeline", "Steps", "Rows", "Checks", "Logs", "Details")


def load() -> Run:
    try:
        return services.runs.get(place.param("id"))
    except EtlmlError as error:
        parts.head("Run")
        st.error(error.message, icon=":material/search_off:")
        place.link("runs", "All runs", icon=":material/arrow_back:")
        st.stop()


def header(run: Run) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head(run.pipeline_name or run.pipeline_id, status=run.status, sub=f"run {run.id[-6:]}")
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        neighbours(run)
        place.link("pipeline", "Open pipeline", icon=":material/account_tree:", id=run.pipeline_id)
        if not run.is_final:
            if st.button("Stop", icon=":material/stop:", key="stop", disabled=not MAY_RUN or run.cancel_requested):
                parts.attempt(lambda: services.runs.cancel(run.id, author=user.name), "Asked the run to stop.")
                st.rerun()
        elif MAY_RUN:
            choice = st.menu_button(
                "Run again",
                retry_choices(run),
                icon=":material/replay:",
                type="primary",
                key="retry",
                format_func=lambda c: c[1],
            )
            if choice:
                again(run, choice[0])


def retry_choices(run: Run) -> list[tuple[str, str]]:
    failed = [("failed", "What did not succeed")] if run.status != "success" else []
    return [*failed, ("start", "Everything"), *((step.id, f"From “{step.name or step.id}” on") for step in run.steps)]


def again(run: Run, from_: str) -> None:
    try:
        fresh = services.runs.retry(run.id, from_, author=user.name)
    except EtlmlError as error:
        st.toast(error.message, icon=":material/error:", duration="long")
        return
    parts.toast_later("A new run takes over what is done.", ":material/replay:")
    place.go("run", id=fresh.id)


def neighbours(run: Run) -> None:
    newer, older = around(run)
    if older and st.button("", icon=":material/chevron_left:", key="older", help="The run before", type="tertiary"):
        place.go("run", id=older)
    if newer and st.button("", icon=":material/chevron_right:", key="newer", help="The run after", type="tertiary"):
        place.go("run", id=newer)


def around(run: Run) -> tuple[str | None, str | None]:
    """The ids of the pipeline's runs just after and just before this one."""
    before = [
        one.id
        for one in services.runs.list(pipeline=run.pipeline_id, until=run.created_at, limit=2).items
        if one.id != run.id
    ]
    newest = [one.id for one in services.runs.list(pipeline=run.pipeline_id, since=run.created_at, limit=50).items]
    at = newest.index(run.id) if run.id in newest else 0
    return (newest[at - 1] if at > 0 else None), (before[0] if before else None)


def fact_line(run: Run) -> None:
    zone = place.zone()
    moment = run.started_at or run.created_at
    took = (
        run.duration_s
        if run.duration_s is not None
        else (utc_now() - moment).total_seconds()
        if run.status == "running"
        else None
    )
    st.html(
        parts.facts_html(
            {
                "Started": words.exact(run.started_at, zone) if run.started_at else "waits for a worker",
                "Took" if run.is_final else "For": words.duration(took) if took is not None else "",
                "Trigger": TRIGGER_LABEL.get(run.trigger, run.trigger)
                + (f", {run.triggered_by}" if run.triggered_by else ""),
                "Scheduled for": words.exact(run.scheduled_for, zone) if run.scheduled_for else "",
                "Version": str(run.pipeline_version),
                "Attempt": str(run.attempt) if run.attempt > 1 else "",
                "Warnings": str(run.warnings) if run.warnings else "",
                "Reason": run.reason or "",
            }
        )
    )


def error_card(run: Run) -> None:
    if run.error is None:
        return
    st.html(parts.error_html(run.error))
    with st.container(horizontal=True, vertical_alignment="center"):
        if (
            run.error.step
            and MAY_RUN
            and st.button(f"Run again from “{run.error.step}”", icon=":material/replay:", key="retry_here")
        ):
            again(run, run.error.step)
        if run.error.step:
            place.link("pipeline", "Open this step", icon=":material/edit:", id=run.pipeline_id, step=run.error.step)
        if run.error.traceback:
            with st.popover("Where in the code", icon=":material/code:"):
                st.code(run.error.traceback, language="text")


def steps_of(run: Run) -> list[Any]:
    """The steps as they were; a version never changes, so it is read once a session."""
    known: dict[str, list[Any]] = st.session_state.setdefault("steps_of_version", {})
    key = f"{run.pipeline_id}-{run.pipeline_version}"
    if key not in known:
        try:
            known[key] = services.pipelines.version(run.pipeline_id, run.pipeline_version).document.steps
        except EtlmlError:
            return []
    return known[key]


def draw_graph(run: Run) -> None:
    steps = drafts.with_needs(steps_of(run))
    if not steps:
        return
    key = f"graph_{run.id}"

    def on_selected() -> None:
        place.set_params(step=st.session_state[key]["selected"])

    canvas.draw(
        key,
        graph.nodes_of(steps, run=run),
        graph.edges_of(steps),
        selected=place.param("step") or None,
        choice=0,
        readonly=True,
        height=300 if len(steps) < 12 else 420,
        on_selected=on_selected,
    )


def progress(run: Run) -> None:
    if run.is_final:
        return
    expected = gantt.expected_duration(services.store.runs.durations(run.pipeline_id))
    share = gantt.progress(run, expected, utc_now())
    done = sum(step.status in ("success", "cached", "skipped") for step in run.steps)
    text = (
        "Waiting for a free slot"
        if run.status == "pending"
        else f"{done} of {words.plural(len(run.steps), 'step')} done"
    )
    st.progress(share, f"{text}, {words.percent(share, 0)}")


def body(run: Run) -> None:
    tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
    draws = (timeline, steps, rows, checks, logs, details)
    for tab, draw in zip(tabs, draws, strict=True):
        with tab:
            if tab.open:
                draw(run)


def timeline(run: Run) -> None:
    st.html(gantt.gantt_html(run, utc_now()))


def steps(run: Run) -> None:
    happened = lists.draw(
        f"steps_{run.id}",
        step_list.COLUMNS,
        [step_list.step_row(step) for step in run.steps],
        current=place.param("step"),
    )
    if happened.opened:
        place.set_params(step=happened.opened)
        st.rerun()


def rows(run: Run) -> None:
    ids = [step.id for step in run.steps]
    wanted = place.param("step")
    chosen = st.selectbox(
        "Step",
        ids,
        index=ids.index(wanted) if wanted in ids else len(ids) - 1,
        key=f"rows_step_{wanted}",
        width=300,
        label_visibility="collapsed",
    )
    if chosen:
        preview.of_step(services, run, chosen)


def checks(run: Run) -> None:
    found = services.validations.list(run_id=run.id, limit=50).items
    if not found:
        parts.empty("No checks in this run", "Add a validate step, or rules on a step's Checks view.")
    for validation in found:
        validation_view.card(validation, zone=place.zone())


def logs(run: Run) -> None:
    step = place.param("step") or None
    known = step if step in {one.id for one in run.steps} else None
    page = services.runs.logs(run.id, step_id=known, limit=300)
    if known:
        st.caption(f"Only of step {known}.")
    st.html(log_view.log_html(page.items, zone=place.zone(), height=420))
    place.link("logs", "Open in the log viewer", icon=":material/article:", run=run.id)


def details(run: Run) -> None:
    left, right = st.columns(2)
    with left:
        parts.section("Parameters")
        st.html(
            parts.table_html({name: words.value(value, 300) for name, value in run.params.items()})
            if run.params
            else "<small>None.</small>"
        )
    with right:
        parts.section("Run")
        st.html(
            parts.table_html(
                {
                    "ID": run.id,
                    "Pipeline": run.pipeline_name,
                    "Worker": run.worker or words.MISSING,
                    "Created": words.exact(run.created_at, place.zone()),
                }
                | {"Finished": words.exact(run.finished_at, place.zone())}
                | ({"Retry of": run.retry_of} if run.retry_of else {})
                | ({"Ends with": f"{run.until}; steps that it does not need were skipped"} if run.until else {})
            )
        )
    parts.command_lines({"Command line": f"etlml logs {run.id} -f", "curl": f"curl {frame.api_url()}/runs/{run.id}"})


def whole(run: Run) -> None:
    header(run)
    fact_line(run)
    error_card(run)
    progress(run)
    draw_graph(run)
    body(run)


first = load()


@parts.fragment(run_every=None if first.is_final else "1s", key="live", about={"id": first.id})
def live() -> None:
    run = first if first.is_final else services.runs.get(first.id)
    whole(run)
    if run.is_final and not first.is_final:
        parts.toast_later(
            f"{run.pipeline_name}: {run_rows.status_cell(run.status)['label'].lower()}.", ":material/flag:"
        )
        st.rerun()


place.link("runs", "Runs", icon=":material/chevron_left:")
live()
