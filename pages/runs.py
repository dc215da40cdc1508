"""All runs: filtered, watched, compared, stopped and tried again in bulk; by day, and step by step."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.store import Page
from etlml.store.paging import decode_offset, encode_offset
from etlml.ui import (
    backfill_list,
    cells,
    copy_as,
    filters,
    frame,
    lists,
    pager,
    parts,
    place,
    row_commands,
    run_calendar,
    run_grid,
    run_rows,
)
from etlml.ui import format as words
from etlml.ui.looks import TRIGGER_LABEL, look

services, user = frame.services(), frame.current_user()
STATES = ("success", "failed", "running", "pending", "cancelled", "missed")
VIEWS = ("List", "Calendar", "Grid")
BY_TIME = ("Newest first", "Oldest first")
ORDERS = (*BY_TIME, "Longest first", "Shortest first")
PAGE = 50
FEW = 5  # what is done with more than these shows how far it is


def chosen_view() -> str:
    """The view of the URL, changed by its buttons."""
    known = place.param("view").capitalize()
    now = known if known in VIEWS else VIEWS[0]
    chosen = st.segmented_control(
        "View", VIEWS, default=now, key=f"view_{now}", label_visibility="collapsed", required=True
    )
    if chosen != now:
        place.set_params(view=str(chosen).lower() if chosen != VIEWS[0] else None)
        st.rerun()
    return now


def chosen_filters(view: str) -> dict[str, Any]:
    """The filters of a view; a grid is of one pipeline, a calendar has its own time."""
    found: dict[str, Any] = {}
    names = list(services.pipelines.names())
    with filters.bar():
        if view != "Grid":
            found["q"] = filters.search("Search runs", width=165)
        found["pipeline"] = filters.choice(
            "Pipeline", names, key="pipeline", every="All pipelines" if view != "Grid" else "Pipeline", width=145
        )
        if view == "Grid":
            return found
        found["status"] = filters.choice(
            "State", STATES, key="state", every="All states", width=118, worded=lambda one: look(one).label
        )
        found["trigger"] = filters.choice(
            "Trigger",
            list(TRIGGER_LABEL),
            key="trigger",
            every="All triggers",
            width=125,
            worded=TRIGGER_LABEL.__getitem__,
        )
        if view == "List":
            found |= list_filters()
    return found


def list_filters() -> dict[str, Any]:
    """Time, warnings and order."""
    day = run_calendar.day_of(place.param("day"))
    if day is None:
        times: dict[str, datetime | None] = {"since": filters.since(utc_now())}
    else:
        begin, end = run_calendar.bounds(day, place.zone())
        times = {"since": begin, "until": end}
        if st.button(words.day(day), icon=":material/close:", icon_position="right", key="day", help="Any day"):
            place.set_params(day=None)
            st.rerun()
    order = st.selectbox("Order", ORDERS, key="order", bind="query-params", label_visibility="collapsed", width=132)
    warned = st.toggle("Warnings", key="warned", bind="query-params", help="Only runs with warnings")
    return {**times, "warned": bool(warned), "order": order or ORDERS[0]}


def backfill_chip() -> dict[str, str]:
    """The backfill of the URL as a filter that can be taken away; nothing without one."""
    chosen = place.param("backfill")
    if not chosen:
        return {}
    label = backfill_list.label(services, chosen, place.zone())
    if st.button(label, icon=":material/close:", icon_position="right", key="backfill", help="Runs of any origin"):
        place.set_params(backfill=None)
        st.rerun()
    return {"backfill": chosen}


def found_runs(wanted: dict[str, Any]) -> Page[Run]:
    fixed = {name: value for name, value in wanted.items() if name != "since"} | {"day": place.param("day")}
    after = pager.cursor("runs", fixed | {"since": wanted["since"] is not None})
    asked, order = {name: value for name, value in wanted.items() if name != "order"}, wanted["order"]
    if order in BY_TIME:
        return services.runs.list(**asked, limit=PAGE, cursor=after, newest_first=order == BY_TIME[0])
    skip = decode_offset(after) if after else 0
    shortest = order == ORDERS[-1]
    runs = list(services.run_views.longest(**asked, limit=PAGE + 1, skip=skip, shortest=shortest))
    return Page(runs[:PAGE], encode_offset(skip + PAGE) if len(runs) > PAGE else None)


@parts.fragment(run_every="3s")
def table(wanted: dict[str, Any]) -> None:
    page = found_runs(wanted)
    happened = lists.draw(
        "runs",
        run_rows.RUN_COLUMNS,
        [run_rows.run_row(run) for run in page.items],
        picks=True,
        empty="No run matches these filters.",
        copies={run.id: row_commands.run(run) for run in page.items},
    )
    if happened.opened:
        place.go("run", id=happened.opened)
    bulk(happened.picked, page.items)
    pager.foot("runs", len(page.items), page.next_cursor, noun="runs")


def bulk(picked: tuple[str, ...], runs: list[Run]) -> None:
    """What can be done with the chosen runs."""
    if not picked:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(picked)} chosen")
        if len(picked) == 2 and st.button("Compare", icon=":material/compare_arrows:", key="bulk_compare"):
            older, newer = in_order(picked, runs)
            place.go("compare", a=older, b=newer)
        if not user.permits("operator"):
            return
        if st.button("Retry", icon=":material/replay:", key="bulk_retry"):
            each(picked, lambda one: services.runs.retry(one, author=user.name), "Started again")
        if st.button("Cancel", icon=":material/stop:", key="bulk_cancel"):
            each(picked, lambda one: services.runs.cancel(one, author=user.name), "Asked to stop")
        if st.button("Delete", icon=":material/delete:", key="bulk_delete"):
            delete(picked)
        parts.command_lines(
            ({"Compare": copy_as.runs.compare(*in_order(picked, runs))} if len(picked) == 2 else {})
            | {
                "Retry": copy_as.runs.retry(picked),
                "Cancel": copy_as.runs.cancel(picked),
                "Delete": copy_as.runs.delete(picked),
            }
        )


def in_order(picked: tuple[str, ...], runs: list[Run]) -> list[str]:
    """The chosen runs, the oldest first."""
    return sorted(picked, key=lambda one: next(run.created_at for run in runs if run.id == one))


def each(picked: tuple[str, ...], action: Callable[[str], object], done: str) -> None:
    refused: list[str] = []
    bar = st.progress(0.0) if len(picked) > FEW else None
    for number, run_id in enumerate(picked, start=1):
        try:
            action(run_id)
        except EtlmlError as error:
            refused.append(error.message)
        if bar is not None:
            bar.progress(number / len(picked), f"{number} of {words.plural(len(picked), 'run')}")
    lists.unpick("runs")
    if len(picked) > len(refused):
        parts.toast_later(f"{done}: {words.plural(len(picked) - len(refused), 'run')}.")
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        parts.toast_later(f"Not possible: {refused[0]}{more}", ":material/error:")
    st.rerun()


def delete(picked: tuple[str, ...]) -> None:
    what = words.plural(len(picked), "run")
    parts.confirm(
        "Delete runs?",
        f"{what} will be deleted for good. What they wrote to sinks, and their models, stay.",
        "Delete",
        lambda: each(picked, lambda one: services.runs.delete(one, author=user.name), "Deleted"),
        "",
        commands=copy_as.runs.delete(picked),
    )


@parts.fragment(run_every="10s")
def by_day(wanted: dict[str, Any]) -> None:
    zone = place.zone()
    today = utc_now().astimezone(zone).date()
    last = run_calendar.month_of(place.param("month"), today)
    months = run_calendar.months_until(last)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("", icon=":material/chevron_left:", key="earlier", help="Earlier months"):
            turn(months[0])
        if st.button(
            "", icon=":material/chevron_right:", key="later", help="Later months", disabled=last >= today.replace(day=1)
        ):
            turn(min(run_calendar.months_until(run_calendar.month_after(run_calendar.month_after(last)))[-1], today))
        st.caption("A day opens its runs.")
    since, until = run_calendar.bounds(months[0], zone)[0], run_calendar.bounds(run_calendar.month_after(last), zone)[0]
    counts = services.run_views.by_day(**wanted, since=since, until=until, timezone=str(zone))
    opened = cells.draw("calendar", run_calendar.calendar_html(months, counts, today))
    if opened and run_calendar.day_of(opened):
        place.set_params(view=None, day=opened, month=None, after=None)
        st.rerun()


def turn(month: Any) -> None:
    place.set_params(month=f"{month:%Y-%m}")
    st.rerun()


@parts.fragment(run_every="3s")
def by_step(pipeline: str | None) -> None:
    wanted = pipeline or newest_pipeline()
    if wanted is None:
        parts.empty("No runs yet", "Run a pipeline to see its steps run by run.")
        return
    grid = services.run_views.grid(wanted)
    if not grid.runs:
        parts.empty("This pipeline has never run", "Run it to see its steps run by run.")
        return
    shown = next((run.pipeline_name for run in services.runs.list(pipeline=wanted, limit=1).items), wanted)
    parts.section(shown, f"the last {words.plural(len(grid.runs), 'run')}, the newest at the right; a click opens one")
    opened = cells.draw("grid", run_grid.grid_html(grid, place.zone()))
    st.html(run_grid.legend_html())
    if opened:
        place.go("run", id=opened)


def newest_pipeline() -> str | None:
    newest = services.runs.list(limit=1, with_steps=False).items
    return newest[0].pipeline_id if newest else None


with st.container(horizontal=True, vertical_alignment="center"):
    parts.head("Runs")
    st.space("stretch")
    place.link("compare", "Compare two runs", icon=":material/compare_arrows:")
    view = chosen_view()
with parts.shown_errors():
    wanted = chosen_filters(view) | (backfill_chip() if view != "Grid" else {})
    if view == "Calendar":
        by_day(wanted)
    elif view == "Grid":
        by_step(wanted["pipeline"])
    else:
        table(wanted)
