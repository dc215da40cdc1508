"""All schedules: what fires next, what became of each fire, pause and resume; backfills."""

import streamlit as st

from etlml.clock import utc_now
from etlml.services.fires import ScheduleRow
from etlml.services.schedules import DAY
from etlml.ui import (
    backfill_dialog,
    backfill_list,
    copy_as,
    filters,
    frame,
    lists,
    parts,
    place,
    row_commands,
    schedule_detail,
    schedule_rows,
)
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
MAY_EDIT = user.permits("editor")
STATES = {"All": None, "Active": "active", "Paused": "paused", "Missed": "missed"}
TIMELINE_LANES = 12


def head() -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head("Schedules")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Backfill …", icon=":material/history:", key="backfill", disabled=not MAY_EDIT):
            backfill_dialog.ask(services, user)


def fits(one: ScheduleRow, query: str | None, state: str | None) -> bool:
    text = f"{one.pipeline} {one.schedule} {one.words}".lower()
    if query and query.lower() not in text:
        return False
    return {None: True, "active": not one.paused, "paused": one.paused, "missed": one.missed > 0}[state]


def timeline() -> None:
    coming = services.schedules.upcoming()
    number = sum(len(one.at) for one in coming)
    parts.section("Next 24 hours", words.plural(number, "fire") if number else "nothing fires")
    if coming:
        shown = coming[:TIMELINE_LANES]
        st.html(schedule_rows.timeline_html(shown, utc_now(), place.zone(), DAY))
        if len(coming) > len(shown):
            st.caption(f"The {len(shown)} that fire first of {len(coming)}.")


def chosen_filters() -> tuple[str | None, str | None]:
    with filters.bar():
        return filters.search("Search schedules"), filters.state(STATES)


@parts.fragment(run_every="15s", key="schedules")
def table(query: str | None, state: str | None) -> None:
    every = services.schedules.list()
    if not every:
        parts.empty("No schedules yet", "Open a pipeline and give it a schedule on its tab of that name.")
        return
    timeline()
    parts.section("All schedules", f"{len(every)}, {sum(one.paused for one in every)} paused")
    found = [one for one in every if fits(one, query, state)]
    rows = [schedule_rows.schedule_row(one, may_edit=MAY_EDIT) for one in found]
    happened = lists.draw(
        "schedules",
        schedule_rows.SCHEDULE_COLUMNS,
        rows,
        picks=MAY_EDIT,
        empty="No schedule matches these filters.",
        copies={one.pipeline_id: row_commands.schedule(one) for one in found},
    )
    if happened.picked:
        bulk(happened.picked, {one.pipeline_id: one.pipeline for one in found})
    if happened.opened:
        place.set_params(schedule=happened.opened)
        st.rerun()
    if happened.row and happened.action:
        set_paused((happened.row,), happened.action == "pause")


def bulk(picked: tuple[str, ...], names: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{words.plural(len(picked), 'schedule')} chosen")
        if st.button("Pause", icon=":material/pause:", key="bulk_pause"):
            set_paused(picked, True)
        if st.button("Resume", icon=":material/play_arrow:", key="bulk_resume"):
            set_paused(picked, False)
        chosen = [names[one] for one in picked]
        parts.command_lines({"Pause": copy_as.pipelines.pause(chosen), "Resume": copy_as.pipelines.resume(chosen)})


def set_paused(ids: tuple[str, ...], paused: bool) -> None:
    act = services.schedules.pause if paused else services.schedules.resume

    def each() -> None:
        for one in ids:
            act(one, author=user.name)

    done = f"{words.plural(len(ids), 'schedule')} {'paused' if paused else 'resumed'}."
    if parts.attempt(each, done):
        lists.unpick("schedules")
        st.rerun()


if place.param("schedule"):
    schedule_detail.draw(services, user, place.param("schedule"))
else:
    head()
    tabs = st.tabs(["Schedules", "Backfills"], key="tab", on_change="rerun", bind="query-params")
    with tabs[0]:
        if tabs[0].open:
            table(*chosen_filters())
    with tabs[1], parts.shown_errors():
        if tabs[1].open:
            backfill_list.draw(services, user)
