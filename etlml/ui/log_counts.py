"""How many lines the filters of the logs page select: counted a moment at a time where lines must be read, kept meanwhile."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import streamlit as st

from etlml.services import Services
from etlml.services.logs import LogFigures
from etlml.ui import format as words
from etlml.ui import place
from etlml.ui.log_range import Stretch
from etlml.ui.looks import LEVELS

BUCKETS = 90
FIRST_S, STEP_S = 0.04, 0.2
_PEACE = 30  # times as long as the last count took it may be shown before all is counted anew
_CALM = timedelta(seconds=3)  # counters are not asked more often
_KEPT = "log_figures"
_FINE = 20_000  # buckets: so many that their lines are read, which tells new ones to the millisecond


class _Kept(NamedTuple):
    asked: str
    figures: LogFigures


def known(asked: str) -> LogFigures | None:
    """What was counted for that question up to now."""
    kept: _Kept | None = st.session_state.get(_KEPT)
    return kept.figures if kept is not None and kept.asked == asked else None


def counted(services: Services, asked: str, wanted: Mapping[str, Any], stretch: Stretch) -> LogFigures:
    """The figures, a step further than before.

    Args:
        asked: What tells this question from others; what moves with the clock is no part of it.
    """
    before = known(asked)
    if before is not None and before.settled_until is None and timedelta() <= stretch.until - before.until < _CALM:
        return before
    if before is not None and before.is_complete:
        stale = max(before.width, timedelta(seconds=_PEACE * before.spent_s))
        if stretch.since - before.since > stale or stretch.since < before.since - before.width:
            before = None
    found = services.logs.volume(
        stretch.since,
        stretch.until,
        buckets=BUCKETS,
        patience_s=FIRST_S if before is None else STEP_S,
        so_far=before,
        **wanted,
    )
    st.session_state[_KEPT] = _Kept(asked, found)
    return found


def levels(figures: LogFigures | None, level: str) -> str:
    """The levels as buttons, with their counts if these are known; which was chosen."""
    labels = {name: name.capitalize() for name in LEVELS}
    if figures is not None:
        more = "" if figures.is_complete else "+"
        labels = {name: f"{labels[name]} {lines:,}{more}" for name, lines in figures.levels.items()}
    chosen = st.segmented_control(
        "At least",
        list(LEVELS),
        default=level,
        key="level",
        label_visibility="collapsed",
        format_func=lambda name: labels[name],
        required=True,
    )
    place.set_params(level=chosen if chosen != "INFO" else None)  # not bound: the URL would hold the counts, too
    return chosen or "INFO"


def level_asked() -> str:
    """The level that is chosen, before its buttons are drawn."""
    level = str(st.session_state.get("level") or place.param("level"))
    return level if level in LEVELS else "INFO"


def said(figures: LogFigures) -> str:
    """How far the counting is; nothing when it is done."""
    if figures.is_complete:
        return ""
    return f"Counting: back to {words.exact(figures.reached, place.zone())} so far."


def new_lines(
    services: Services, asked: str, wanted: Mapping[str, Any], level: str, since: datetime, now: datetime
) -> int:
    """How many lines have come since then."""
    key = f"{asked} {since}"
    kept: _Kept | None = st.session_state.get("log_new")
    before = kept.figures if kept is not None and kept.asked == key else None
    if now <= since:
        return 0
    found = services.logs.volume(since, now, buckets=_FINE, patience_s=FIRST_S, so_far=before, **wanted)
    st.session_state["log_new"] = _Kept(key, found)
    return sum(found.at_least(level).values())
