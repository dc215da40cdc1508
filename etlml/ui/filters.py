"""The filters above a list: each is kept in the URL under its key."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Literal

import streamlit as st

TIMES: Mapping[str, timedelta | None] = {
    "Any time": None,
    "Last hour": timedelta(hours=1),
    "Last 24 h": timedelta(days=1),
    "Last 7 d": timedelta(days=7),
    "Last 30 d": timedelta(days=30),
}


def bar() -> AbstractContextManager[Any]:
    """The row in which filters stand side by side."""
    return st.container(horizontal=True, vertical_alignment="center")


def search(placeholder: str, *, width: int | Literal["stretch"] = 260) -> str | None:
    """A text to look for; None while there is none."""
    text = st.text_input(
        "Search",
        key="q",
        bind="query-params",
        placeholder=placeholder,
        icon=":material/search:",
        label_visibility="collapsed",
        width=width,
        live="300ms",
        type="search",
    )
    return text or None


def choice(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    every: str,
    width: int = 150,
    worded: Callable[[str], str] = str,
) -> str | None:
    """One of some values, or None for all of them; ``every`` is what stands there then."""
    chosen: str | None = st.selectbox(
        label,
        list(options),
        index=None,
        key=key,
        bind="query-params",
        placeholder=every,
        label_visibility="collapsed",
        width=width,
        format_func=worded,
    )
    return chosen


def state(options: Mapping[str, str | None], *, key: str = "state") -> str | None:
    """One of a few states as buttons; the first is "all" and gives None."""
    chosen = st.segmented_control(
        "State",
        list(options),
        default=next(iter(options)),
        key=key,
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    return options[chosen or next(iter(options))]


def since(now: datetime) -> datetime | None:
    """The begin of a span of time that ends now; None for any time."""
    chosen = st.selectbox("Time", list(TIMES), key="time", bind="query-params", label_visibility="collapsed", width=118)
    span = TIMES[chosen or "Any time"]
    return now - span if span else None
