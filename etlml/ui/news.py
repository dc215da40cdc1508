"""Toasts for what ended while the viewer looked elsewhere: the runs that they started."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import format as words
from etlml.ui import place
from etlml.ui.looks import look

MOST = 3  # more at once are told in one line
_SLACK = timedelta(seconds=20)  # an end is written a moment after it, and clocks differ
_ICONS = {"success": ":material/check_circle:", "failed": ":material/error:"}


def tell(services: Services, user: Principal) -> None:
    """Show a toast for each run of the viewer that has ended since this tab last looked."""
    now = utc_now()
    since: datetime = st.session_state.setdefault("news_since", now)
    told: set[str] = st.session_state.setdefault("news_told", set())
    ended = services.run_views.ended_of(user.name, since - _SLACK)
    if since == now:  # a new tab: what has ended before is no news
        told.update(run.id for run in ended)
    fresh = [run for run in ended if run.id not in told]
    told.update(run.id for run in fresh)
    st.session_state["news_since"] = now
    show([run for run in fresh if run.id != place.param("id")])  # the run's own page says so itself


def show(runs: Sequence[Run]) -> None:
    """A toast for each of a few runs, one for many."""
    if len(runs) > MOST:
        states = Counter(look(run.status).label.lower() for run in runs)
        st.toast(f"{len(runs):,} runs ended: {', '.join(f'{n:,} {state}' for state, n in states.items())}.")
        return
    for run in runs:
        took = f" in {words.duration(run.duration_s)}" if run.duration_s is not None else ""
        st.toast(
            f"**{_literal(run.pipeline_name)}**: {look(run.status).label.lower()}{took}. [Open](run?id={run.id})",
            icon=_ICONS.get(run.status, ":material/flag:"),
            duration="long" if run.status == "failed" else "short",
        )


def _literal(text: str) -> str:
    """A text in Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~:$-])", r"\\\1", text)
