"""Which time the logs page looks at: a span up to now, or a stretch that was typed in or chosen on the chart."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import streamlit as st

from etlml.clock import utc_now
from etlml.ui import format as words
from etlml.ui import log_live, pager, place

TIMES: Mapping[str, timedelta] = {
    "15 min": timedelta(minutes=15),
    "1 h": timedelta(hours=1),
    "24 h": timedelta(hours=24),
    "7 d": timedelta(days=7),
    "30 d": timedelta(days=30),
}
_TRAIL = "log_zooms"


class Stretch(NamedTuple):
    """From when to when; ``fixed`` if it does not move with the clock."""

    since: datetime
    until: datetime
    fixed: bool

    def words(self) -> str:
        """As the viewer reads it."""
        zone = place.zone()
        since, until = self.since.astimezone(zone), self.until.astimezone(zone)
        short = self.until - self.since < timedelta(minutes=5)
        first = words.day_and_time(since, seconds=short)
        if since.date() == until.date():
            return f"{first} – {until:%H:%M:%S}" if short else f"{first} – {until:%H:%M}"
        return f"{first} – {words.day_and_time(until, seconds=short, year=since.year != until.year)}"


def fixed() -> Stretch | None:
    """The stretch that the URL names; None if it names none, or nonsense."""
    since, until = log_live.moment(place.param("from")), log_live.moment(place.param("to"))
    return Stretch(since, until, True) if since and until and since < until else None


def chosen() -> Stretch:
    """The stretch that the URL names, else the chosen span up to now."""
    now = log_live.paused_at() or utc_now()
    span = TIMES.get(str(st.session_state.get("time") or ""), TIMES["24 h"])
    return fixed() or Stretch(now - span, now, False)


def pick() -> None:
    """The spans as buttons and a stretch of one's own, behind a button that says which time is shown."""
    found = fixed()
    span = str(st.session_state.get("time") or place.param("time") or "24 h")
    label = found.words() if found else f"Last {span if span in TIMES else '24 h'}"
    with st.popover(label, icon=":material/schedule:", key="log_time"):
        st.segmented_control(
            "Up to now",
            list(TIMES),
            default="24 h",
            key="time",
            bind="query-params",
            required=True,
            on_change=forget,
        )
        _between()


def _between() -> None:
    now, zone = chosen(), place.zone()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        since = st.datetime_input("From", now.since.astimezone(zone).replace(tzinfo=None), key="log_from")
        until = st.datetime_input("To", now.until.astimezone(zone).replace(tzinfo=None), key="log_to")
    if st.button("Show this time", type="primary", key="log_custom_show") and since and until:
        if since >= until:
            st.error("The end lies before the beginning. Choose a later end.", icon=":material/error:")
        else:
            zoom(Stretch(since.replace(tzinfo=zone), until.replace(tzinfo=zone), True))
            st.rerun()


def ways_out() -> None:
    """Where a stretch is shown: wider again, and back to now."""
    st.button(
        "Zoom out", icon=":material/zoom_out:", key="log_zoom_out", on_click=zoom_out, help="The time shown before."
    )
    st.button("To now", icon=":material/last_page:", key="log_now", on_click=forget, help="Back to the newest lines.")


def zoom(into: Stretch) -> None:
    """Look at that stretch; ``zoom_out`` leads back."""
    trail: list[tuple[str, str]] = st.session_state.setdefault(_TRAIL, [])
    trail.append((place.param("from"), place.param("to")))
    _look(log_live.written(into.since), log_live.written(into.until))


def zoom_out() -> None:
    """Look at what was shown before the last zoom."""
    trail: list[tuple[str, str]] = st.session_state.get(_TRAIL, [])
    while trail and trail[-1] == (place.param("from"), place.param("to")):  # the browser's Back led here
        trail.pop()
    since, until = trail.pop() if trail else ("", "")
    _look(since, until)


def forget() -> None:
    """Look at the chosen span up to now."""
    st.session_state.pop(_TRAIL, None)
    place.set_params(**{"from": None, "to": None, log_live.PARAM: None, pager.PARAM: None})


def _look(since: str, until: str) -> None:
    """Both at once, so that the browser's Back undoes both."""
    place.set_params(**{pager.PARAM: None})
    if since and until:
        st.query_params.update({"from": since, "to": until})
    else:
        place.set_params(**{"from": None, "to": None})
