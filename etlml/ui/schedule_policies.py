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
        limit = st.number_input(
            "At most",
            1,
            1000,
            limit,
            key=f"{key}.missed_limit",
            disabled=off,
            help="The newest ones.",
            placeholder=f"as the installation: {standard.missed_limit}",
        )
    overlap = _choice(
        "A fire while a run goes on",
        OVERLAP,
        options.overlap,
        standard=OVERLAP[standard.overlap].lower(),
        key=f"{key}.overlap",
        disabled=off,
    )
    late = st.number_input(
        "Too late after (minutes)",
        0.0,
        None,
        options.too_late_after_s / 60 if options.too_late_after_s else None,
        key=f"{key}.late",
        placeholder="never",
        disabled=off,
        help="A fire that is later than this is recorded as missed. Empty: never too late.",
    )
    changes: dict[str, Any] = {
        "missed": missed,
        "missed_limit": limit,
        "overlap": overlap,
        "too_late_after_s": late * 60 if late else None,
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
    return (
        st.selectbox(
            label,
            known,
            index=known.index(chosen or FOLLOWS),
            format_func=lambda one: words[one] if one else f"As the installation: {standard}",
            key=key,
            disabled=disabled,
            help=help,
        )
        or None
    )
