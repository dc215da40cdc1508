"""One run: its graph live, how far it is, what went wrong, what can be done; its parts are in tabs."""

from zlib import crc32

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.ui import (
    canvas,
    copy_as,
    drafts,
    frame,
    gantt,
    graph,
    parts,
    place,
    row_commands,
    run_rows,
    run_tabs,
    run_view,
)
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
MAY_RUN = user.permits("operator")


def load() -> Run:
    try:
        return services.runs.get(place.param("id"))
    except EtlmlError as error:
        parts.head("Run")
        st.error(error.message, icon=":material/search_off:")
        place.link("runs", "All runs", icon=":material/arrow_back:")
        st.stop()


def note_for_the_guide(run: Run) -> None:
    """The guide's second step is done by whoever sees the result of a run, by whatever way."""
    if run.status == "success" and not st.session_state.get("guide_looked"):
        st.session_state["guide_looked"] = True
        services.guide.note(user.name, looked=True)


def header(run: Run) -> None:
    note_for_the_guide(run)
    left, right = st.columns([3, 3], vertical_alignment="center")
    with left:
        warned = f", {words.plural(run.warnings, 'warning')}" if run.warnings else ""
        parts.head(run.pipeline_name or run.pipeline_id, status=run.status, sub=f"run {run.id[-6:]}{warned}")
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        neighbours()
        other = beside.last_success or beside.older
        if other:
            place.link("compare", "Compare", icon=":material/compare_arrows:", a=other, b=run.id)
        if beside.pipeline_there:
            place.link("pipeline", "Open pipeline", icon=":material/account_tree:", id=run.pipeline_id)
        parts.command_lines(copies(run))
        if not run.is_final:
            if st.button("Stop", icon=":material/stop:", key="stop", disabled=not MAY_RUN or run.cancel_requested):
                parts.attempt(lambda: services.runs.cancel(run.id, author=user.name), "Asked the run to stop.")
                st.rerun()
        elif MAY_RUN and beside.pipeline_there:
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


def copies(run: Run) -> dict[str, copy_as.Action]:
    """Each action of this page as commands."""
    found = row_commands.run(run)
    if run.is_final and (other := beside.last_success or beside.older):
        found["Compare"] = copy_as.runs.compare(other, run.id)
    if run.is_final and run.steps:
        step = place.param("step")
        ids = [each.id for each in run.steps]
        if step in ids:
            found[f"From {step}"] = copy_as.runs.retry([run.id], step)
        found["Rows of a step"] = copy_as.runs.rows(run.id, step if step in ids else ids[-1])
    return found


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


def neighbours() -> None:
    for key, icon, target, label in (
        ("older", ":material/chevron_left:", beside.older, "The run before"),
        ("newer", ":material/chevron_right:", beside.newer, "The run after"),
    ):
        if st.button("", icon=icon, key=key, help=label, type="tertiary", disabled=target is None) and target:
            place.go("run", id=target)


def error_card(run: Run) -> None:
    if not beside.pipeline_there:
        st.caption(":material/delete: This pipeline is deleted; its run is kept until retention removes it.")
    if run.status == "missed":
        st.info(f"This fire was missed. {run.reason or ''}", icon=":material/event_busy:")
    if run.error is None:
        return
    st.html(parts.error_html(run.error))
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.error.step and beside.pipeline_there:
            label = f"Run again from “{run.error.step}”"
            if MAY_RUN and st.button(label, icon=":material/replay:", key="retry_here"):
                again(run, run.error.step)
            place.link("pipeline", "Open this step", icon=":material/edit:", id=run.pipeline_id, step=run.error.step)
        if run.error.traceback:
            with st.popover("Where in the code", icon=":material/code:"):
                st.code(run.error.traceback, language="text")


def draw_graph(run: Run) -> None:
    steps = drafts.with_needs(list(run_view.steps_of(services, run)))
    if not steps:
        return
    key, chosen = f"graph_{run.id}", place.param("step")

    def on_selected() -> None:
        place.set_params(step=st.session_state[key]["selected"])

    canvas.draw(
        key,
        run_view.live_nodes(steps, run, beside.usual_s, utc_now()),
        graph.edges_of(steps),
        selected=chosen or None,
        choice=crc32(chosen.encode()),  # a step that is chosen elsewhere on the page is so on the graph too
        readonly=True,
        height=300 if len(steps) < 12 else 420,
        on_selected=on_selected,
    )


def progress(run: Run) -> None:
    if run.is_final:
        return
    now = utc_now()
    share = gantt.progress(run, beside.usual_s, now)
    waits = services.run_views.waits_for(run)
    st.progress(share, run_view.progress_words(run, waits, share, now, beside.expected_s))


def whole(run: Run) -> None:
    header(run)
    st.html(parts.facts_html(run_view.facts(run, place.zone())))
    error_card(run)
    progress(run)
    draw_graph(run)
    run_tabs.draw(services, run, beside)


first = load()
beside = run_view.around(services, first)


pace = run_view.pace(first, utc_now())


@parts.fragment(run_every=pace, key="live", about={"id": first.id})
def live() -> None:
    run = first if first.is_final else services.runs.get(first.id)
    whole(run)
    if not run.is_final and run_view.pace(run, utc_now()) != pace:
        st.rerun()
    if run.is_final and not first.is_final:
        parts.toast_later(
            f"{run.pipeline_name}: {run_rows.status_cell(run.status)['label'].lower()}.", ":material/flag:"
        )
        st.rerun()


place.link("runs", "Runs", icon=":material/chevron_left:")
live()
