"""Whether the lines on the logs page move on: live, or held at the moment at which the viewer paused them."""

from datetime import UTC, datetime

import streamlit as st

from etlml.clock import utc_now
from etlml.ui import pager, place

PARAM = "paused"


def moment(text: str) -> datetime | None:
    """A time in the URL; None if it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def written(at: datetime) -> str:
    """A time for the URL."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:23] + "Z"


def paused_at() -> datetime | None:
    """When the viewer paused; None while the lines move on."""
    return moment(place.param(PARAM))


def pause() -> None:
    """Hold the lines as they are now."""
    place.set_params(**{PARAM: written(utc_now())})


def resume() -> None:
    """Let them move on, from the newest."""
    place.set_params(**{PARAM: None, pager.PARAM: None})


def button() -> None:
    """Pause or resume."""
    if paused_at() is None:
        st.button(
            "Pause",
            icon=":material/pause:",
            key="log_pause",
            on_click=pause,
            help="New lines appear as they are written. Pause to read in peace.",
        )
    else:
        st.button("Resume", icon=":material/play_arrow:", key="log_resume", on_click=resume, type="primary")
