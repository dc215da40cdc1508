"""What became of the fires of schedules, in the words of screens, REST and the command line: plain records, pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from etlml.documents import Run, ScheduleOptions
from etlml.engine.fire_policy import Policy
from etlml.engine.schedules import OVERLAP_REASON

Outcome = Literal["ran", "missed", "skipped"]
_NEVER_RAN = "missed"
_RAN = ("pending", "running", "success", "failed", "cancelled")
_FILTERS: Mapping[Outcome, Mapping[str, Any]] = {
    "ran": {"status": _RAN},
    "missed": {"status": _NEVER_RAN, "unlike": OVERLAP_REASON},
    "skipped": {"status": _NEVER_RAN, "reason": OVERLAP_REASON},
}


@dataclass(frozen=True)
class Fire:
    """One moment of a schedule and what became of it.

    Attributes:
        outcome: ran; missed (``reason`` says why); skipped, because a run was still going on.
        status: The run's status; "missed" where there was none.
    """

    at: datetime | None
    outcome: Outcome
    status: str
    run_id: str
    reason: str = ""
    duration_s: float | None = None


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule among others.

    Attributes:
        words: The schedule in plain words, with its zone.
        options: As the pipeline says; what it leaves out is as the installation says.
        policy: What is in force.
        next_fires: When it fires next; for a paused one, when it would.
        last: The newest fire; None before the first.
        missed: Fires within the last seven days at which no run was made.
        last_missed: The newest of those.
        problem: Why it cannot fire at all; empty if it can.
    """

    pipeline_id: str
    pipeline: str
    schedule: str
    timezone: str
    words: str
    paused: bool
    options: ScheduleOptions
    policy: Policy
    next_fires: Sequence[datetime]
    last: Fire | None
    missed: int
    last_missed: Fire | None
    problem: str = ""


def fire_of(run: Run) -> Fire:
    """A run of a schedule, or the record of one that was not made, as a fire."""
    reason = run.reason or ""
    if run.status != _NEVER_RAN:
        outcome: Outcome = "ran"
    else:
        outcome = "skipped" if reason.endswith(OVERLAP_REASON) else "missed"
    return Fire(run.scheduled_for, outcome, run.status, run.id, reason, run.duration_s)


def asked_for(outcome: Outcome | None) -> Mapping[str, Any]:
    """The filters of the store for one outcome; none for all."""
    return {} if outcome is None else _FILTERS[outcome]
