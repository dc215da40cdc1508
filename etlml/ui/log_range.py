"""Which time the logs page looks at: a span up to now, or a stretch that was typed in or chosen on the chart."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import streamlit as st

from etlml.clock import utc_now
from etlml.ui import format as words
from etlml.ui import place

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
    since, until = _moment(place.param("from")), _moment(place.param("to"))
    return Stretch(since, until, True) if since and until and since < until else None


def chosen() -> Stretch:
    """The stretch that the URL names, else the chosen span up to now."""
    now = utc_now()
    span = TIMES.get(str(st.session_state.get("time") or ""), TIMES["24 h"])
    return fixed() or Stretch(now - span, now, False)


def pick() -> None:
    """The spans as buttons, a stretch of one's own, and the way back where one is set."""
    st.segmented_control(
        "Time",
        list(TIMES),
        default="24 h",
        key="time",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
        on_change=forget,
    )
    with st.popover("Custom", icon=":material/date_range:", key="log_custom"):
        now = chosen()
        zone = place.zone()
        since = st.datetime_input("From", now.since.astimezone(zone).replace(tzinfo=None), key="log_from")
        until = st.datetime_input("To", now.until.astimezone(zone).replace(tzinfo=None), key="log_to")
        if st.button("Show", type="primary", key="log_custom_show") and since and until:
            if since >= until:
                st.error("The end lies before the beginning. Choose a later end.", icon=":material/error:")
            else:
                zoom(Stretch(since.replace(tzinfo=zone), until.replace(tzinfo=zone), True))
                st.rerun()


def banner() -> None:
    """Says which stretch is shown, with the way out of it."""
    found = fixed()
    if found is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<span class="pill tone-run">{found.words()}</span>')
        if st.button("Zoom out", icon=":material/zoom_out:", key="log_zoom_out"):
            zoom_out()
            st.rerun()
        if st.button("Back to now", icon=":material/close:", key="log_zoom_end", type="tertiary"):
            forget()
            st.rerun()


def zoom(into: Stretch) -> None:
    """Look at that stretch; ``zoom_out`` leads back."""
    trail: list[tuple[str, str]] = st.session_state.setdefault(_TRAIL, [])
    trail.append((place.param("from"), place.param("to")))
    place.set_params(**{"from": _written(into.since), "to": _written(into.until)})


def zoom_out() -> None:
    """Look at what was shown before the last zoom."""
    trail: list[tuple[str, str]] = st.session_state.get(_TRAIL, [])
    since, until = trail.pop() if trail else ("", "")
    place.set_params(**{"from": since or None, "to": until or None})


def forget() -> None:
    """Look at the chosen span up to now."""
    st.session_state.pop(_TRAIL, None)
    place.set_params(**{"from": None, "to": None})


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:23] + "Z"


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
