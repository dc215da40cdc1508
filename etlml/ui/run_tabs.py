"""The tabs of a run's page: when each step worked, figures, rows, checks, logs, what changed, details."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.services import Services
from etlml.services.comparing import LAST_SUCCESS
from etlml.ui import (
    compare_view,
    gantt,
    lists,
    log_view,
    parts,
    place,
    preview,
    step_list,
    validation_view,
)
from etlml.ui import format as words
from etlml.ui.run_view import Around


class Seen(NamedTuple):
    """A run on its page, and what surrounds it."""

    services: Services
    run: Run
    beside: Around


def draw(services: Services, run: Run, beside: Around) -> None:
    """Draw the tabs; only the open one does its work."""
    tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
    for tab, draw_it in zip(tabs, TABS.values(), strict=True):
        with tab:
            if tab.open:
                draw_it(Seen(services, run, beside))


def timeline(seen: Seen) -> None:
    """When each step worked."""
    if not seen.run.steps:
        parts.empty("No step ran", seen.run.reason or "")
        return
    st.html(gantt.gantt_html(seen.run, utc_now(), zone=place.zone(), usual_s=seen.beside.usual_s))
    if seen.beside.usual_s:
        st.caption("A thin line marks how long a step usually takes. Point at a step for its exact times.")


def steps(seen: Seen) -> None:
    """Each step's figures; a click chooses one."""
    happened = lists.draw(
        f"steps_{seen.run.id}",
        step_list.COLUMNS,
        [step_list.step_row(step) for step in seen.run.steps],
        current=place.param("step"),
        empty="No step ran.",
    )
    if happened.opened:
        place.set_params(step=happened.opened)
        st.rerun()


def rows(seen: Seen) -> None:
    """What a step gave, to look at and to take along."""
    ids = [step.id for step in seen.run.steps]
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
        preview.of_step(seen.services, seen.run, chosen)
        if seen.beside.last_success and seen.run.is_final and seen.run.step(chosen).checkpoint:
            place.link(
                "compare",
                "Compare these rows with the last success",
                icon=":material/compare_arrows:",
                a=seen.beside.last_success,
                b=seen.run.id,
                step=chosen,
            )


def checks(seen: Seen) -> None:
    """What the rules of this run found."""
    found = seen.services.validations.list(run_id=seen.run.id, limit=50).items
    if not found:
        parts.empty("No checks in this run", "Add a validate step, or rules on a step's Checks view.")
    for validation in found:
        validation_view.card(seen.services, validation, zone=place.zone())


def logs(seen: Seen) -> None:
    """What it logged, or what its chosen step did."""
    step = place.param("step") or None
    known = step if step in {one.id for one in seen.run.steps} else None
    page = seen.services.runs.logs(seen.run.id, step_id=known, limit=300)
    if known:
        st.caption(f"Only of step {known}.")
    st.html(log_view.log_html(page.items, zone=place.zone(), height=420))
    place.link("logs", "Open in the log viewer", icon=":material/article:", run=seen.run.id)


def changes(seen: Seen) -> None:
    """What is different from the pipeline's last success."""
    if seen.beside.last_success is None:
        parts.empty("No earlier success", "This pipeline had no successful run before this one to compare it with.")
        return
    found = seen.services.comparing.runs(LAST_SUCCESS, seen.run.id)
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
    place.link("compare", "Compare in full", icon=":material/compare_arrows:", a=found.before.id, b=seen.run.id)


def details(seen: Seen) -> None:
    """Parameters and times."""
    left, right = st.columns(2)
    with left:
        parts.section("Parameters")
        st.html(
            parts.table_html({name: words.value(value, 300) for name, value in seen.run.params.items()})
            if seen.run.params
            else "<small>None.</small>"
        )
    with right:
        parts.section("Run")
        facts = {
            "ID": seen.run.id,
            "Pipeline": seen.run.pipeline_name,
            "Worker": seen.run.worker or words.MISSING,
            "Created": words.exact(seen.run.created_at, place.zone()),
            "Finished": words.exact(seen.run.finished_at, place.zone()),
        }
        st.html(parts.table_html(facts | ({"Retry of": seen.run.retry_of} if seen.run.retry_of else {})))


TABS: Mapping[str, Callable[[Seen], None]] = {
    "Timeline": timeline,
    "Steps": steps,
    "Rows": rows,
    "Checks": checks,
    "Logs": logs,
    "Changes": changes,
    "Details": details,
}
