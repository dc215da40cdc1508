"""One run: its graph live, when each step worked, rows, checks, logs, what changed, and what went wrong."""

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.services.comparing import LAST_SUCCESS
from etlml.ui import (
    canvas,
    compare_view,
    copy_as,
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
    run_view,
    step_list,
    validation_view,
)
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
MAY_RUN = user.permits("operator")
TABS = ("Timeline", "Steps", "Rows", "Checks", "Logs", "Changes", "Details")


def load() -> Run:
    try:
        return services.runs.get(place.param("id"))
    except EtlmlError as error:
        parts.head("Run")
        st.error(error.message, icon=":material/search_off:")
        place.link("runs", "All runs", icon=":material/arrow_back:")
        st.stop()


def header(run: Run) -> None:
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
    key = f"graph_{run.id}"

    def on_selected() -> None:
        place.set_params(step=st.session_state[key]["selected"])

    canvas.draw(
        key,
        graph.nodes_of(steps, run=run, progress=run_view.step_progress(run, beside.usual_s, utc_now())),
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
    share = gantt.progress(run, beside.expected_s, utc_now())
    st.progress(share, run_view.progress_words(run, services.run_views.waits_for(run), share, utc_now()))


def body(run: Run) -> None:
    tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
    draws = (timeline, steps, rows, checks, logs, changes, details)
    for tab, draw in zip(tabs, draws, strict=True):
        with tab:
            if tab.open:
                draw(run)


def timeline(run: Run) -> None:
    if not run.steps:
        parts.empty("No step ran", run.reason or "")
        return
    st.html(gantt.gantt_html(run, utc_now(), zone=place.zone(), usual_s=beside.usual_s))
    if beside.usual_s:
        st.caption("A thin line marks how long a step usually takes. Point at a step for its exact times.")


def steps(run: Run) -> None:
    happened = lists.draw(
        f"steps_{run.id}",
        step_list.COLUMNS,
        [step_list.step_row(step) for step in run.steps],
        current=place.param("step"),
        empty="No step ran.",
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
        index=ids.index(wanted) if wanted in ids else len(ids) - 1 if ids else None,
        key=f"rows_step_{wanted}",
        width=300,
        label_visibility="collapsed",
    )
    if chosen:
        preview.of_step(services, run, chosen)
        if beside.last_success and run.is_final and run.step(chosen).checkpoint:
            place.link(
                "compare",
                "Compare these rows with the last success",
                icon=":material/compare_arrows:",
                a=beside.last_success,
                b=run.id,
                step=chosen,
            )


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


def changes(run: Run) -> None:
    """What is different from the pipeline's last success."""
    if beside.last_success is None:
        parts.empty("No earlier success", "This pipeline had no successful run before this one to compare it with.")
        return
    found = services.comparing.runs(LAST_SUCCESS, run.id)
    when = words.exact(found.before.started_at or found.before.created_at, place.zone())
    st.caption(f"Since the last success, {when}.")
    shown = compare_view.data_html(found.steps) + compare_view.changes_html(found)
    if not found.versions_known:
        st.caption("The pipeline's definitions are no longer stored, so they can't be compared.")
    st.html(
        f'<div class="changes">{shown}</div>'
        if shown
        else '<div class="changes">Definition and parameters are the same as then.</div>'
    )
    if found.yaml:
        with st.expander("As YAML", icon=":material/difference:"):
            st.code("\n".join(found.yaml), language="diff")
    st.html(compare_view.steps_html(found.steps))
    place.link("compare", "Compare in full", icon=":material/compare_arrows:", a=found.before.id, b=run.id)


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
        facts = {
            "ID": run.id,
            "Pipeline": run.pipeline_name,
            "Worker": run.worker or words.MISSING,
            "Created": words.exact(run.created_at, place.zone()),
            "Finished": words.exact(run.finished_at, place.zone()),
        }
        st.html(parts.table_html(facts | ({"Retry of": run.retry_of} if run.retry_of else {})))
    parts.section("As commands", "command line, curl or Python, ready to copy")
    with st.container(horizontal=True):
        copies(run)


def copies(run: Run) -> None:
    """Each action of this page as commands."""
    api = frame.api_url()
    parts.command_lines(copy_as.follow(api, run.id), label="Follow it")
    if run.is_final:
        from_ = run.error.step if run.error and run.error.step else "failed"
        parts.command_lines(copy_as.retry(api, run.id, from_), label="Run again")
    else:
        parts.command_lines(copy_as.cancel(api, run.id), label="Stop")
    if beside.last_success:
        parts.command_lines(copy_as.compare(api, beside.last_success, run.id), label="Compare")


def whole(run: Run) -> None:
    header(run)
    st.html(parts.facts_html(run_view.facts(run, place.zone())))
    error_card(run)
    progress(run)
    draw_graph(run)
    body(run)


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
