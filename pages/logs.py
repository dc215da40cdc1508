"""Everything that was logged: followed live, filtered, searched, grouped; and who changed what."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services.logs import LogFigures
from etlml.ui import (
    audit_view,
    copy_as,
    frame,
    log_counts,
    log_filters,
    log_groups,
    log_lines,
    log_live,
    log_range,
    log_volume,
    pager,
    parts,
    place,
)
from etlml.ui.looks import LEVELS

services, user = frame.services(), frame.current_user()
LIVE, COUNTING = "2.5s", "0.5s"


def of_run(run_id: str | None, stretch: log_range.Stretch) -> log_range.Stretch:
    """A run's lines are shown from its beginning, however long ago that was."""
    if run_id is None or stretch.fixed:
        return stretch
    try:
        began = services.runs.get(run_id).created_at
    except EtlmlError:
        return stretch
    return stretch._replace(since=min(began, stretch.since))


def found_view(*, groups: bool) -> None:
    """The lines or their groups, below the levels and the chart; it reruns by itself while something can change."""
    wanted = log_filters.draw(services, live=not groups)
    if place.param(pager.PARAM) and not log_range.fixed() and not log_live.paused_at():
        log_live.pause()
    figured = {**wanted, "group": place.param("group")} if groups and place.param("group") else wanted
    held = log_range.fixed() is not None
    asked = str((figured, held and log_range.fixed(), st.session_state.get("time"), log_live.paused_at()))
    moving = LIVE if not held and not groups else None
    begins = any(figured.values()) and st.session_state.get("log_counted") != asked
    interval = COUNTING if begins or st.session_state.get("log_counting") == asked else moving
    passes: list[bool] = []

    @parts.fragment(run_every=interval)
    def found() -> None:
        stretch = of_run(wanted["run_id"], log_range.chosen())
        above, level = st.container(), log_counts.level_asked()
        shown = None if groups else log_lines.Shown(services, asked, wanted, stretch, level)
        if shown is not None:
            shown.draw()  # the lines before their number, which may take longer
        with above:
            figures = draw_figures(asked, figured, stretch, level, least="WARNING" if groups else "DEBUG")
        done = figures is None or figures.is_complete
        if shown is not None and figures is not None:
            shown.draw_foot(figures)
        elif figures is not None:
            done = draw_groups(asked, wanted, stretch, level) and done
        st.session_state["log_counted" if done else "log_counting"] = asked
        if done:
            st.session_state.pop("log_counting", None)
        passes.append(done)
        if (interval == COUNTING and done and len(passes) > 1) or (interval != COUNTING and not done):
            st.rerun()  # so that the page looks again less often, or more

    found()


def draw_figures(
    asked: str, wanted: dict[str, Any], stretch: log_range.Stretch, level: str, *, least: str
) -> LogFigures | None:
    """The levels with their counts, and the chart of those that are shown: of ``least`` and above."""
    try:
        figures = log_counts.counted(services, asked, wanted, stretch)
    except EtlmlError as error:
        log_counts.levels(None, level)
        st.error(error.message, icon=":material/error:")
        return None
    with st.container(horizontal=True, vertical_alignment="center", key="log_levels"):
        chosen = log_counts.levels(figures, level)
        if text := log_counts.said(figures):
            st.caption(text)
    charted = max(chosen, least, key=LEVELS.index)
    zoomed = log_volume.draw("log_volume", log_volume.chart_data(figures, charted, stretch))
    if zoomed is not None:
        log_range.zoom(zoomed)
        st.rerun()
    return figures


def draw_groups(asked: str, wanted: dict[str, Any], stretch: log_range.Stretch, level: str) -> bool:
    """The groups, or the lines of one; whether all lines are in them."""
    chosen = {**wanted, "level": level, "since": stretch.since, "until": stretch.until}
    found = log_groups.counted(services, f"{asked} {level}", {**wanted, "level": level}, stretch)
    if place.param("group"):
        log_groups.draw_one(services, place.param("group"), found, chosen)
    else:
        log_groups.draw(found)
    parts.command_lines(copy_as.logs.groups(chosen))
    return found.is_complete


parts.head("Logs")
tabs = st.tabs(["Lines", "Groups", "Audit"], key="tab", on_change="rerun", bind="query-params")
views: Sequence[Callable[[], None]] = (
    lambda: found_view(groups=False),
    lambda: found_view(groups=True),
    lambda: audit_view.draw(services, user),
)
for tab, view in zip(tabs, views, strict=True):
    with tab:
        if tab.open:
            with parts.shown_errors():
                view()
