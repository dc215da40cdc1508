"""Schedules: when a pipeline runs next, what it missed, pause and resume."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from etlml.clock import utc_now
from etlml.cron import next_fires
from etlml.documents import Pipeline
from etlml.errors import StateConflict, VersionConflict
from etlml.services.audit import AuditService
from etlml.services.pipelines import PipelineService
from etlml.services.principals import LOCAL_NAME
from etlml.store import Store

SHOWN_FIRES = 5
SHOWN_MISSED = 20
_TRIES = 5


@dataclass(frozen=True)
class MissedFire:
    """A moment at which no run was made, and why."""

    scheduled_for: datetime | None
    reason: str
    run_id: str


@dataclass(frozen=True)
class ScheduleState:
    """A pipeline's schedule, seen from now.

    Attributes:
        next_fires: When it fires next; for a paused one, when it would. Empty without a schedule.
        missed: The newest missed fires, newest first.
    """

    schedule: str | None
    timezone: str
    paused: bool
    next_fires: Sequence[datetime]
    missed: Sequence[MissedFire]


class ScheduleService:
    """Looks at schedules, pauses and resumes them; their text is a part of the pipeline's document."""

    def __init__(self, store: Store, audit: AuditService, pipelines: PipelineService) -> None:
        self._store = store
        self._audit = audit
        self._pipelines = pipelines

    def get(self, name_or_id: str) -> ScheduleState:
        """The schedule of a pipeline."""
        pipeline = self._store.pipelines.find(name_or_id)
        missed = self._store.runs.list(
            pipeline_id=pipeline.id, status="missed", limit=SHOWN_MISSED, with_steps=False
        ).items
        upcoming = next_fires(pipeline.schedule, pipeline.timezone, utc_now(), SHOWN_FIRES) if pipeline.schedule else []
        return ScheduleState(
            pipeline.schedule,
            pipeline.timezone,
            pipeline.options.paused,
            upcoming,
            [MissedFire(run.scheduled_for, run.reason or "", run.id) for run in missed],
        )

    def pause(self, name_or_id: str, *, author: str = LOCAL_NAME) -> Pipeline:
        """Have nothing but people start the pipeline: neither its schedule nor its triggers. No change if it is paused."""
        return self._set_paused(name_or_id, True, author)

    def resume(self, name_or_id: str, *, author: str = LOCAL_NAME) -> Pipeline:
        """Go on from now; what was due meanwhile is neither made up nor recorded. No change if it is not paused."""
        return self._set_paused(name_or_id, False, author)

    def _set_paused(self, name_or_id: str, paused: bool, author: str) -> Pipeline:
        for _ in range(_TRIES):
            stored = self._store.pipelines.find(name_or_id)
            if stored.options.paused == paused:
                return stored
            draft = stored.draft().model_copy(update={"options": stored.options.model_copy(update={"paused": paused})})
            try:
                saved = self._pipelines.saved(stored, draft, expected_version=stored.version, author=author)
            except VersionConflict:
                continue  # somebody saved it in between: their change stays, ours goes on top
            self._audit.record(author, "paused" if paused else "resumed", "pipeline", saved.id, name=saved.name)
            return saved
        raise StateConflict(f"Pipeline {name_or_id!r} is being changed by others all the time. Try again.")
