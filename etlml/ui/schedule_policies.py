"""The form for missed, late and overlapping fires of one schedule."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from etlml.documents import ScheduleOptions
from etlml.engine.fire_policy import FirePolicy
from etlml.ui.schedule_rows import CATCH_UP, OVERLAP, missed_words

FOLLOWS = ""
"""What stands for an option that the schedule leaves to the installation."""


def draw(options: ScheduleOptions, default: FirePolicy, key: str, off: bool) -> ScheduleOptions:
    """The policies as they stand in the form; what follows the installation says what that means now."""
    standard = default.policy(ScheduleOptions())
    missed = _choice(
        "Missed fires are made up",
        CATCH_UP,
        options.missed,
        standard=missed_words(standard),
        key=f"{key}.missed",
        disabled=off,
        help="Fires that came while no worker was alive. Those that are not made up stay in the history with the reason.",
    )
    limit = options.missed_limit
    if (missed or standard.missed) == "all":
        limit = _limit(limit, standard.missed_limit, f"{key}.missed_limit", off)
    overlap = _choice(
        "A fire while a run goes on",
        OVERLAP,
        options.overlap,
        standard=OVERLAP[standard.overlap].lower(),
        key=f"{key}.overlap",
        disabled=off,
    )
    changes: dict[str, Any] = {
        "missed": missed,
        "missed_limit": limit,
        "overlap": overlap,
        "too_late_after_s": _too_late_after_s(options.too_late_after_s, f"{key}.late", off),
    }
    return options.model_copy(update=changes)


def _choice(
    label: str,
    words: Mapping[Any, str],
    chosen: str | None,
    *,
    standard: str,
    key: str,
    disabled: bool,
    help: str | None = None,
) -> str | None:
    """One of several policies; None follows the installation, whose own is described by ``standard``."""
    known = [FOLLOWS, *words]
    policy = st.selectbox(
        label,
        known,
        index=known.index(chosen or FOLLOWS),
        format_func=lambda one: words[one] if one else f"As the installation: {standard}",
        key=key,
        disabled=disabled,
        help=help,
    )
    return policy or None


def _limit(chosen: int | None, standard: int, key: str, disabled: bool) -> int | None:
    return st.number_input(
        "At most",
        1,
        1000,
        chosen,
        key=key,
        disabled=disabled,
        help="The newest ones.",
        placeholder=f"as the installation: {standard}",
    )


def _too_late_after_s(chosen: float | None, key: str, disabled: bool) -> float | None:
    minutes = st.number_input(
        "Too late after (minutes)",
        0.0,
        None,
        chosen / 60 if chosen else None,
        key=key,
        placeholder="never",
        disabled=disabled,
        help="A fire that is later than this is recorded as missed. Empty: never too late.",
    )
    return minutes * 60 if minutes else None
