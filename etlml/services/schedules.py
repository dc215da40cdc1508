"""Schedules: when pipelines run next, what became of their fires, pause and resume."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from etlml.clock import utc_now
from etlml.cron import fires_between, next_fires
from etlml.cron_words import cron_words
from etlml.documents import Pipeline, Run
from etlml.engine.fire_policy import FirePolicy
from etlml.engine.preferences import preferences
from etlml.errors import ConfigInvalid, StateConflict, VersionConflict
from etlml.services.audit import AuditService
from etlml.services.fires import Fire, Outcome, ScheduleRow, asked_for, fire_of
from etlml.services.pipelines import PipelineService
from etlml.services.principals import LOCAL_NAME
from etlml.store import Store

SHOWN_FIRES = 5
SHOWN_MISSED = 20
MISSED_WITHIN = timedelta(days=7)
DAY = timedelta(hours=24)
MOST_UPCOMING = 1440
_MOST_MISSED = 1000
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


@dataclass(frozen=True)
class Upcoming:
    """The fires of one schedule within a span of time."""

    pipeline_id: str
    pipeline: str
    words: str
    at: Sequence[datetime]


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

    def list(self, now: datetime | None = None) -> Sequence[ScheduleRow]:
        """Every schedule, the one that fires soonest first; paused ones last."""
        now = now or utc_now()
        missed = self._missed_since(now - MISSED_WITHIN)
        default = preferences(self._store, FirePolicy)
        rows = [
            self._row(pipeline, missed.get(pipeline.id, []), default, now)
            for pipeline in self._store.pipelines.scheduled()
        ]
        never = datetime.max.replace(tzinfo=now.tzinfo)
        return sorted(rows, key=lambda row: (row.paused, row.next_fires[0] if row.next_fires else never, row.pipeline))

    def _missed_since(self, since: datetime) -> dict[str, Sequence[Run]]:
        found = self._store.runs.list(status="missed", since=since, limit=_MOST_MISSED, with_steps=False).items
        ids = dict.fromkeys(run.pipeline_id for run in found)
        return {each: [run for run in found if run.pipeline_id == each] for each in ids}

    def _row(self, pipeline: Pipeline, missed: Sequence[Run], default: FirePolicy, now: datetime) -> ScheduleRow:
        schedule, problem = str(pipeline.schedule), ""
        try:
            upcoming = next_fires(schedule, pipeline.timezone, now, SHOWN_FIRES)
        except ConfigInvalid as error:  # saved by a version that could read it
            upcoming, problem = [], error.message
        last = self._store.runs.fires(pipeline.id, limit=1)
        return ScheduleRow(
            pipeline_id=pipeline.id,
            pipeline=pipeline.name,
            schedule=schedule,
            timezone=pipeline.timezone,
            words=cron_words(schedule, pipeline.timezone),
            paused=pipeline.options.paused,
            options=pipeline.options,
            policy=default.policy(pipeline.options),
            next_fires=upcoming,
            last=fire_of(last[0]) if last else None,
            missed=len(missed),
            last_missed=fire_of(missed[0]) if missed else None,
            problem=problem,
        )

    def history(
        self, name_or_id: str, *, outcome: Outcome | None = None, limit: int = 50, before: datetime | None = None
    ) -> Sequence[Fire]:
        """What became of each fire, the newest first; with ``before`` the ones before that moment."""
        pipeline = self._store.pipelines.find(name_or_id)
        found = self._store.runs.fires(pipeline.id, limit=limit, before=before, **asked_for(outcome))
        return [fire_of(run) for run in found]

    def upcoming(self, now: datetime | None = None, *, within: timedelta = DAY) -> Sequence[Upcoming]:
        """All fires from now on, by schedule, the soonest first; paused ones are left out."""
        now = now or utc_now()
        active = (each for each in self._store.pipelines.scheduled() if not each.options.paused)
        found = (_upcoming(pipeline, now, now + within) for pipeline in active)
        return sorted((each for each in found if each.at), key=lambda each: each.at[0])

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


def _upcoming(pipeline: Pipeline, now: datetime, until: datetime) -> Upcoming:
    schedule = str(pipeline.schedule)
    try:  # fires come at whole minutes, so those after a moment are those after its minute
        fires = _fires(schedule, pipeline.timezone, _minute(now), _minute(until))
    except ConfigInvalid:  # the list of schedules says what is wrong with it
        fires = ()
    return Upcoming(pipeline.id, pipeline.name, cron_words(schedule), fires)


@lru_cache(maxsize=512)
def _fires(schedule: str, timezone: str, start: datetime, end: datetime) -> Sequence[datetime]:
    """Kept for the others who look within the same minute: a schedule that fires often takes milliseconds."""
    return tuple(fires_between(schedule, timezone, start, end, limit=MOST_UPCOMING))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
