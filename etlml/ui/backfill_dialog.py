"""The dialog that makes up for the past: which days, which moments, a look before it starts."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from etlml.clock import utc_now
from etlml.cron import zone
from etlml.documents import Pipeline
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.backfills import MOST_PARALLEL, Interval, Redo, whole_days
from etlml.services.principals import Principal
from etlml.ui import copy_as, lists, parts, place, schedule_rows
from etlml.ui import format as words
from etlml.ui.run_form import param_fields

REDO: dict[Redo, str] = {
    "missing": "Only moments that never ran",
    "failed": "Also those that failed or were cancelled",
    "all": "All, whatever they came to",
}
SHOWN = 200


def ask(services: Services, user: Principal, pipeline_id: str | None = None) -> None:
    """Open the dialog, for one pipeline or for any that has a schedule."""

    @st.dialog("Backfill", width="large")
    def dialog() -> None:
        with parts.shown_errors():
            draw(services, user, pipeline_id)

    dialog()


def draw(services: Services, user: Principal, pipeline_id: str | None = None) -> None:
    """What stands in the dialog."""
    scheduled = {one.pipeline_id: one.pipeline for one in services.schedules.list()}
    if not scheduled:
        parts.empty(
            "No pipeline has a schedule", "A backfill takes its moments from one. Give a pipeline a schedule first."
        )
        return
    ids = list(scheduled)
    st.caption("Runs a pipeline for every moment at which its schedule fired in the past, the oldest first.")
    chosen = st.selectbox(
        "Pipeline",
        ids,
        index=ids.index(pipeline_id) if pipeline_id in scheduled else 0,
        format_func=scheduled.__getitem__,
        key="backfill_pipeline",
    )
    pipeline = services.pipelines.get(chosen)
    today = utc_now().astimezone(zone(pipeline.timezone)).date()
    first, last, parallel = _range(pipeline, today)
    redo: Redo = st.radio(
        "Which moments", list(REDO), format_func=REDO.__getitem__, key="backfill_redo", horizontal=True
    )
    values = {}
    if pipeline.params:
        with st.expander("Parameters"):
            values = param_fields(pipeline.params, key=f"backfill_param_{pipeline.id}")
    since, until = whole_days(pipeline, first, last)
    plan: Sequence[Interval] = ()
    try:
        plan = services.backfills.plan(pipeline.id, since, until, redo=redo)
    except EtlmlError as error:
        st.html(parts.error_html(error))
    number = sum(each.chosen for each in plan)
    if plan:
        _dry_run(plan, number, pipeline)
    elif first <= last:
        st.caption("The schedule does not fire within these days.")
    _buttons(services, user, pipeline, (first, last), redo, parallel, number, values)


def _range(pipeline: Pipeline, today: date) -> tuple[date, date, int]:
    left, middle, right = st.columns(3)
    first = left.date_input("From", today - timedelta(days=7), key="backfill_from", format="YYYY-MM-DD")
    last = middle.date_input(
        "To, included", today, key="backfill_to", format="YYYY-MM-DD", help=f"Days of {pipeline.timezone}."
    )
    parallel = right.number_input(
        "Runs at once", 1, MOST_PARALLEL, 1, key="backfill_parallel", help="Runs that may wait or go on at once."
    )
    return first, last, int(parallel)


def _dry_run(plan: Sequence[Interval], number: int, pipeline: Pipeline) -> None:
    place_of = zone(pipeline.timezone)
    left_out = len(plan) - number
    facts = {"Runs to start": words.count(number), "Left out": words.count(left_out) if left_out else ""}
    chosen = [each.at.astimezone(place_of) for each in plan if each.chosen]
    if chosen:
        facts |= {
            "First": words.day_and_time(chosen[0], weekday=True),
            "Last": words.day_and_time(chosen[-1], weekday=True),
        }
    st.html(parts.facts_html(facts))
    rows = [schedule_rows.interval_row(each, place_of) for each in plan[:SHOWN]]
    lists.draw("backfill_plan", schedule_rows.INTERVAL_COLUMNS, rows, opens=False, height=230)
    if len(plan) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(plan):,} moments, in {pipeline.timezone}.")


def _buttons(
    services: Services,
    user: Principal,
    pipeline: Pipeline,
    days: tuple[date, date],
    redo: Redo,
    parallel: int,
    number: int,
    values: dict[str, object],
) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        changed = {name: value for name, value in values.items() if value != pipeline.params.get(name)}
        moments = whole_days(pipeline, *days)
        parts.command_lines(copy_as.backfills.start(pipeline.name, days, moments, redo, parallel, changed))
        if st.button(
            f"Start {words.plural(number, 'run')}" if number else "Nothing to start",
            type="primary",
            icon=":material/history:",
            key="backfill_start",
            disabled=not number or not user.permits("editor"),
        ):
            with parts.shown_errors():
                services.backfills.start(
                    pipeline.id, *moments, redo=redo, parallel=parallel, params=changed, author=user.name
                )
                parts.toast_later(f"Backfill of {pipeline.name} started: {words.plural(number, 'run')}.")
                place.go("schedules", tab="Backfills")
