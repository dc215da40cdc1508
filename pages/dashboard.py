"""What goes on: health, figures, runs over time, what runs now, what failed or was missed, what comes next."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.services.health import Part
from etlml.services.schedules import Upcoming
from etlml.ui import charts, frame, gantt, lists, overview, parts, place, row_commands, run_rows, start_here
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
RANGES = {"24 h": timedelta(hours=24), "7 d": timedelta(days=7), "30 d": timedelta(days=30), "90 d": timedelta(days=90)}
BRIEF = (lists.Column("name", "", "name"), lists.Column("at", "", "time", align="right"))
RUNNING = (lists.Column("name", "", "name"), lists.Column("bar", "", "bar"), lists.Column("do", "", "actions"))
MOST = 6


@st.cache_data(ttl=4, show_spinner=False)
def vitals() -> list[Part]:
    """Asked once for all open tabs."""
    return frame.services().health.parts()


@st.cache_data(ttl=4, show_spinner=False)
def statistics(span: timedelta, zone: str) -> dict[str, Any]:
    """Asked once for all open tabs."""
    now = utc_now()
    hourly = overview.is_hourly(span)
    return {"now": now, **frame.services().stats.overview(now - span, timezone=zone, now=now, hourly=hourly)}


@st.cache_data(ttl=10, show_spinner=False)
def upcoming() -> Sequence[Upcoming]:
    """The fires of the next 24 hours, by schedule; asked once for all open tabs."""
    return frame.services().schedules.upcoming()


@st.cache_data(ttl=60, max_entries=200, show_spinner=False)
def usual(pipeline_id: str) -> tuple[dict[str, float], float | None]:
    """How long each step of a pipeline takes in its earlier runs, and how long all do."""
    views = frame.services().run_views
    return views.usual_step_seconds(pipeline_id), gantt.expected_duration(views.usual_durations(pipeline_id))


def title(*, guided: bool) -> timedelta:
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        parts.head("Dashboard")
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if not guided and st.button("First steps", icon=":material/school:", type="tertiary", key="guide_show"):
            place.set_params(**{start_here.PARAM: "1"})
            st.rerun()
        chosen = st.segmented_control(
            "Time range",
            list(RANGES),
            default="7 d",
            key="range",
            bind="query-params",
            label_visibility="collapsed",
            required=True,
        )
    return RANGES[chosen or "7 d"]


@parts.fragment(run_every="5s")
def health() -> None:
    st.html(overview.health_html(vitals()))


@parts.fragment(run_every="10s")
def figures(span: timedelta) -> None:
    zone = place.zone()
    found = statistics(span, str(zone))
    shown = overview.summary(found, now=found["now"], span=span, zone=zone)
    draw_metrics(shown)
    draw_charts(shown)


def draw_metrics(shown: overview.Summary) -> None:
    for column, metric in zip(st.columns(5), overview.metrics(shown), strict=True):
        column.metric(
            metric.label,
            metric.value,
            metric.delta,
            chart_data=metric.trend or None,
            chart_type="area",
            border=True,
            height="stretch",
            help=metric.help,
            delta_description=metric.note if metric.delta else None,
            delta_arrow="off" if metric.neutral else "auto",
            delta_color="off" if metric.neutral else "normal",
        )


def draw_charts(shown: overview.Summary) -> None:
    left, right = st.columns([2, 1])
    with left, st.container(border=True, height="stretch"):
        parts.section("Runs over time", shown.range_note)
        if shown.series:
            st.echarts_chart(charts.runs_spec(shown.series, shown.days), height=210, key="runs_over_time")
        else:
            parts.empty("No runs in this time", "Choose a longer range, or start one.")
    with right, st.container(border=True, height="stretch"):
        parts.section("Durations", "mean and longest")
        if any(each.get("mean_s") is not None for each in shown.by_pipeline):
            st.echarts_chart(charts.durations_spec(shown.by_pipeline), height=210, key="durations")
        else:
            parts.empty("Nothing finished yet")


@parts.fragment(run_every="3s")
def running() -> None:
    parts.section("Running now")
    runs = services.runs.list(status="running", limit=10).items
    rows = [overview.running_row(run, *usual(run.pipeline_id), utc_now()) for run in runs]
    copies = {run.id: row_commands.run(run) for run in runs}
    happened = lists.draw("running", RUNNING, rows, head=False, empty="Nothing is running.", copies=copies)
    if happened.opened:
        place.go("run", id=happened.opened)
    if happened.action == "stop" and happened.row:
        run_id = happened.row
        parts.attempt(lambda: services.runs.cancel(run_id, author=user.name), "Asked the run to stop.")
        st.rerun()


@parts.fragment(run_every="10s")
def events(span: timedelta) -> None:
    zone = place.zone()
    found = statistics(span, str(zone))
    shown = overview.summary(found, now=found["now"], span=span, zone=zone)
    left, middle, right = st.columns(3)
    with left, st.container(border=True, height="stretch"):
        coming = upcoming()
        fires = [overview.upcoming_row(each, zone) for each in coming[:MOST]]
        number = sum(len(each.at) for each in coming)
        note = words.plural(number, "fire") if number else ""
        block("Next 24 hours", note, "next_fires", fires, "No schedule fires.", open_schedule)
    with middle, st.container(border=True, height="stretch"):
        missed = [overview.missed_row(run) for run in shown.missed[:MOST]]
        block("Missed fires", shown.range_note, "missed", missed, "No fire was missed.", open_run)
    with right, st.container(border=True, height="stretch"):
        models = [overview.model_row(model) for model in found["in_production"][:MOST]]
        block("Models in production", "", "in_production", models, "No model is deployed yet.", open_model)


@parts.fragment(run_every="10s")
def failures(span: timedelta) -> None:
    zone = place.zone()
    found = statistics(span, str(zone))
    shown = overview.summary(found, now=found["now"], span=span, zone=zone)
    rows = [overview.failure_row(run) for run in shown.failures[:MOST]]
    block("Failures", shown.range_note, "failures", rows, "Nothing failed.", open_run)


@parts.fragment(run_every="10s")
def activity() -> None:
    entries = services.audit.list(limit=MOST).items
    about = {entry.id: overview.opened_by(entry) for entry in entries}
    rows = [run_rows.activity_row(entry) for entry in entries]
    block("Recent activity", "", "activity", rows, "Nothing yet.", lambda key: open_page(about.get(key)))


def block(
    name: str, note: str, key: str, rows: Sequence[dict[str, Any]], empty: str, opened: Callable[[str], None]
) -> None:
    """A short list under its heading."""
    parts.section(name, note)
    happened = lists.draw(key, BRIEF, rows, head=False, empty=empty)
    if happened.opened:
        opened(happened.opened)


def open_run(key: str) -> None:
    place.go("run", id=key)


def open_model(key: str) -> None:
    name, _, version = key.partition("@")
    place.go("models", name=name, version=version)


def open_schedule(key: str) -> None:
    place.go("schedules", schedule=key)


def open_page(target: tuple[str, dict[str, str]] | None) -> None:
    if target is not None:
        place.go(target[0], **target[1])


def body(span: timedelta) -> None:
    health()
    figures(span)
    left, middle, right = st.columns(3)
    with left, st.container(border=True, height="stretch"):
        running()
    with middle, st.container(border=True, height="stretch"):
        failures(span)
    with right, st.container(border=True, height="stretch"):
        activity()
    events(span)


try:
    fresh = not services.runs.list(limit=1).items
    guide = services.guide.state(user.name)
except EtlmlError as error:
    parts.head("Dashboard")
    st.error(error.message, icon=":material/cloud_off:")
    st.html(overview.health_html(vitals()))
    st.stop()
if fresh:
    start_here.draw(services, user, guide, fresh=True)
else:
    wanted = start_here.is_wanted(guide)
    span = title(guided=wanted)
    if wanted:
        start_here.draw(services, user, guide, fresh=False)
    body(span)
