"""The form for missed, late and overlapping fires of one schedule."""

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
    missed = st.selectbox(
        "Missed fires are made up",
        [FOLLOWS, *CATCH_UP],
        index=[FOLLOWS, *CATCH_UP].index(options.missed or FOLLOWS),
        format_func=lambda one: CATCH_UP[one] if one else f"As the installation: {missed_words(standard)}",
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
    overlap = st.selectbox(
        "A fire while a run goes on",
        [FOLLOWS, *OVERLAP],
        index=[FOLLOWS, *OVERLAP].index(options.overlap or FOLLOWS),
        format_func=lambda one: OVERLAP[one] if one else f"As the installation: {OVERLAP[standard.overlap].lower()}",
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
        "missed": missed or None,
        "missed_limit": limit,
        "overlap": overlap or None,
        "too_late_after_s": late * 60 if late else None,
    }
    return options.model_copy(update=changes)
