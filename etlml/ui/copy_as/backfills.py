"""Backfills: started, paused, resumed, cancelled."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

from etlml.ui.copy_as.action import EACH, Action, Request, action, of_each, options, pair, path


def start(
    pipeline: str,
    days: tuple[date, date],
    moments: tuple[datetime, datetime],
    redo: str,
    parallel: int,
    params: Mapping[str, Any] | None = None,
) -> Action:
    """Make up for the past: the days as people name them, the moments at which they begin and end."""
    given = dict(params or {})
    flags = options(from_=days[0], to=days[1], redo=redo, parallel=parallel)
    flags += options(param=[pair(name, value) for name, value in given.items()])
    since, until = (moment.isoformat() for moment in moments)
    body = {"since": since, "until": until, "redo": redo, "parallel": parallel} | ({"params": given} if given else {})
    return action(["backfill", pipeline, *flags], Request("POST", path("pipelines", pipeline, "backfill"), body))


def change(ids: Sequence[str], what: Literal["pause", "resume", "cancel"]) -> Action:
    """Pause, resume or cancel backfills."""
    return of_each(["backfills", f"--{what}"], ids, "POST", "backfills", EACH, what)
