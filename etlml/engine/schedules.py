"""When schedules start runs, which fires were missed, and what is done about those. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from etlml.cron import fires_between
from etlml.documents import Pipeline
from etlml.engine.fire_policy import Policy

ON_TIME = timedelta(seconds=60)
"""A fire that is handled within this time is on time; later ones were missed, and the policy decides."""
MOST_RECORDED = 1000
"""At most so many missed fires leave a record of their own: the newest."""
OVERLAP_REASON = "was still going on; the policy for overlaps is 'skip'."
"""How the reason of a fire ends that was skipped because a run was going on."""


@dataclass(frozen=True)
class Fire:
    """What becomes of one moment of a schedule."""

    at: datetime
    action: Literal["run", "missed"]
    reason: str | None = None


def due_fires(pipeline: Pipeline, last: datetime | None, now: datetime) -> list[datetime]:
    """The moments that are due and not handled, oldest first; at most MOST_RECORDED, the newest.

    Args:
        pipeline: With its schedule.
        last: The newest moment that has a run or a record.
        now: The present.
    """
    if pipeline.schedule is None or pipeline.options.paused:
        return []
    since = max(filter(None, (last, pipeline.schedule_since or pipeline.created_at)))
    return fires_between(pipeline.schedule, pipeline.timezone, since, now, limit=1_000_000)[-MOST_RECORDED:]


def decide(due: Sequence[datetime], policy: Policy, now: datetime) -> list[Fire]:
    """What becomes of each due moment, by the policy for missed ones."""
    on_time = [at for at in due if now - at <= ON_TIME]
    late = [at for at in due if now - at > ON_TIME]
    made_up = set(_made_up(late, bool(on_time), policy))
    decided = [_late_fire(at, at in made_up, policy, now) for at in late]
    return [*decided, *(_late_fire(at, True, policy, now) for at in on_time)]


def _made_up(late: Sequence[datetime], has_current: bool, policy: Policy) -> Sequence[datetime]:
    if policy.missed == "none" or not late:
        return ()
    if policy.missed == "latest":
        return () if has_current else late[-1:]
    return late[-policy.missed_limit :]


def _late_fire(at: datetime, wanted: bool, policy: Policy, now: datetime) -> Fire:
    late_s = (now - at).total_seconds()
    if policy.too_late_after_s is not None and late_s > policy.too_late_after_s:
        return Fire(
            at,
            "missed",
            f"{_duration(late_s)} late; the schedule gives up after {_duration(policy.too_late_after_s)}.",
        )
    if not wanted:
        return Fire(at, "missed", f"No worker was there at the time; the policy for missed fires is {policy.missed!r}.")
    return Fire(at, "run", f"Made up {_duration(late_s)} late." if now - at > ON_TIME else None)


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
