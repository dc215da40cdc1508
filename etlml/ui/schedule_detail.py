"""One schedule: its words and policies, the next fires, what became of the past ones."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.fires import Outcome, ScheduleRow
from etlml.services.principals import Principal
from etlml.ui import backfill_dialog, copy_as, lists, parts, place, schedule_rows
from etlml.ui import format as words

OUTCOMES: dict[str, Outcome | None] = {"All": None, "Ran": "ran", "Missed": "missed", "Skipped": "skipped"}
PAGE = 50


def draw(services: Services, user: Principal, pipeline_id: str) -> None:
    """Draw the schedule of a pipeline, with the way back to all."""
    if st.button("Schedules", icon=":material/chevron_left:", type="tertiary", key="all_schedules"):
        place.set_params(schedule=None, outcome=None)
        st.rerun()
    try:
        found = next((one for one in services.schedules.list() if pipeline_id in (one.pipeline_id, one.pipeline)), None)
    except EtlmlError as error:
        st.error(error.message)
        return
    if found is None:
        parts.empty("This pipeline has no schedule", "It was taken away, or the pipeline was deleted.")
        return
    _head(services, user, found)
    st.html(parts.facts_html({"Cron": found.schedule, **schedule_rows.policy_facts(found.policy)}))
    left, right = st.columns([2.4, 1], gap="medium")
    with left:
        parts.section("History", "what became of each fire")
        _history(services, found)
    with right:
        parts.section("Next fires", "in your time" if not found.paused else "paused; it would fire")
        next_fires(found.next_fires, found.problem)


def _head(services: Services, user: Principal, one: ScheduleRow) -> None:
    left, right = st.columns([2, 2], vertical_alignment="center")
    with left:
        pill = parts.tone_pill("Paused", "dull") if one.paused else parts.tone_pill("Active", "ok")
        parts.head(one.pipeline, pill=pill, sub=one.words)
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        place.link("pipeline", "Change it", icon=":material/edit:", id=one.pipeline_id, tab="Schedule")
        change = copy_as.pipelines.resume if one.paused else copy_as.pipelines.pause
        parts.command_lines(change([one.pipeline]))
        if not user.permits("editor"):
            return
        if st.button("Backfill …", icon=":material/history:", key="backfill_one"):
            backfill_dialog.ask(services, user, one.pipeline_id)
        word = "Resume" if one.paused else "Pause"
        icon = ":material/play_arrow:" if one.paused else ":material/pause:"
        if st.button(word, icon=icon, key="pause_one"):
            act = services.schedules.resume if one.paused else services.schedules.pause
            if parts.attempt(lambda: act(one.pipeline_id, author=user.name), f"{one.pipeline}: {word.lower()}d."):
                st.rerun()


def _history(services: Services, one: ScheduleRow) -> None:
    chosen = st.segmented_control(
        "Outcome",
        list(OUTCOMES),
        default="All",
        key="outcome",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    before = place.param("before")
    fires = services.schedules.history(
        one.pipeline_id, outcome=OUTCOMES[chosen or "All"], limit=PAGE, before=_moment(before)
    )
    rows = [schedule_rows.fire_row(fire, place.zone()) for fire in fires]
    empty = "No fire came to this." if chosen != "All" else "It has not fired yet."
    happened = lists.draw("fires", schedule_rows.FIRE_COLUMNS, rows, empty=empty)
    if happened.opened:
        place.go("run", id=happened.opened)
    with st.container(horizontal=True):
        if before and st.button("Newest", icon=":material/first_page:", key="fires_newest", type="tertiary"):
            place.set_params(before=None)
            st.rerun()
        last = fires[-1].at if len(fires) == PAGE else None
        if last and st.button("Older", icon=":material/chevron_right:", key="fires_older", type="tertiary"):
            place.set_params(before=last.isoformat())
            st.rerun()


def next_fires(fires: Sequence[datetime], problem: str = "") -> None:
    """The coming fires in the viewer's zone, with how far they are."""
    if problem:
        st.error(problem)
    columns = (lists.Column("at", "", "text"), lists.Column("in", "", "time", align="right"))
    rows = [
        lists.row(
            at.isoformat(), at=words.day_and_time(at.astimezone(place.zone()), weekday=True), **{"in": lists.when(at)}
        )
        for at in fires
    ]
    lists.draw("next_fires", columns, rows, head=False, opens=False, empty="It fires no more.")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else None
