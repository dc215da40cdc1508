"""What goes on: figures, runs over time, what runs now, what failed, what comes next."""

from datetime import timedelta
from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.ui import charts, frame, lists, overview, parts, place, run_rows, start_here

services, user = frame.services(), frame.current_user()
RANGES = {"24 h": timedelta(hours=24), "7 d": timedelta(days=7), "30 d": timedelta(days=30), "90 d": timedelta(days=90)}
BRIEF = (lists.Column("name", "", "name"), lists.Column("at", "", "time", align="right"))


def title() -> timedelta:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head("Dashboard")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
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


@parts.fragment(run_every="3s")
def figures(span: timedelta) -> None:
    now = utc_now()
    zone = place.zone()
    with parts.shown_errors():
        found = services.stats.overview(now - 2 * span, timezone=str(zone), now=now)
        shown = overview.summary(found, now=now, span=span, zone=zone)
        draw_metrics(shown)
        draw_charts(shown)
        draw_lists(found, shown)


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


def draw_lists(found: dict[str, Any], shown: overview.Summary) -> None:
    left, middle, right = st.columns(3)
    with left, st.container(border=True, height="stretch"):
        running(found["running"])
        parts.section("Next 24 hours")
        happened = lists.draw(
            "next_fires",
            BRIEF,
            [run_rows.fire_row(fire) for fire in found["next_fires"][:6]],
            head=False,
            empty="No schedule fires.",
        )
        if happened.opened:
            place.go("pipeline", id=happened.opened)
    with middle, st.container(border=True, height="stretch"):
        parts.section("Failures", shown.range_note)
        happened = lists.draw(
            "failures",
            BRIEF,
            [overview.failure_row(run) for run in shown.failures[:6]],
            head=False,
            empty="Nothing failed.",
        )
        if happened.opened:
            place.go("run", id=happened.opened)
    with right, st.container(border=True, height="stretch"):
        parts.section("Recent activity")
        entries = services.audit.list(limit=7).items
        lists.draw(
            "activity",
            BRIEF,
            [run_rows.activity_row(entry) for entry in entries],
            head=False,
            opens=False,
            empty="Nothing yet.",
        )


def running(runs: list[Run]) -> None:
    parts.section("Running now")
    columns = (lists.Column("name", "", "name"), lists.Column("bar", "", "bar"), lists.Column("do", "", "actions"))
    rows = [overview.running_row(run, services.store.runs.durations(run.pipeline_id), utc_now()) for run in runs]
    happened = lists.draw("running", columns, rows, head=False, empty="Nothing is running.")
    if happened.opened:
        place.go("run", id=happened.opened)
    if happened.action == "stop" and happened.row:
        run_id = happened.row
        parts.attempt(lambda: services.runs.cancel(run_id, author=user.name), "Asked the run to stop.")
        st.rerun()


try:
    fresh = not services.runs.list(limit=1).items
except EtlmlError as error:
    parts.head("Dashboard")
    st.error(error.message, icon=":material/cloud_off:")
    st.stop()
if fresh:
    start_here.draw(services, user)
else:
    figures(title())
