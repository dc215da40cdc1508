"""Backfills: one run for each moment at which a schedule would have fired; the engine queues them, a few at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from etlml.clock import new_id, utc_now
from etlml.cron import fires_between, zone
from etlml.documents import Backfill, Pipeline, Run
from etlml.errors import ConfigInvalid, StateConflict
from etlml.services.audit import AuditService
from etlml.services.params import merged_params
from etlml.services.principals import LOCAL_NAME
from etlml.services.runnable import refuse_unrunnable
from etlml.services.runs import RunService
from etlml.store import Page, Store

MOST_RUNS = 1000
MOST_PARALLEL = 100
Redo = Literal["all", "failed", "missing"]
"""Which moments get a run: all; those without a success; those that never ran."""


@dataclass(frozen=True)
class Progress:
    """How far a backfill is.

    Attributes:
        total: Its intervals.
        waiting: Those that have no run yet.
        counts: How many of its runs are in each status.
    """

    total: int
    waiting: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Interval:
    """One moment of a range.

    Attributes:
        status: What its newest run came to; None if it never had one.
        chosen: Whether a run would be made for it.
    """

    at: datetime
    status: str | None
    chosen: bool


class BackfillService:
    """Makes up for the past; at most ``parallel`` of a backfill's runs wait or go on at once."""

    def __init__(self, store: Store, audit: AuditService, runs: RunService) -> None:
        self._store = store
        self._audit = audit
        self._runs = runs

    def list(
        self, *, pipeline: str | None = None, status: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Backfill]:
        """Backfills, newest first; ``pipeline`` is a name or an id."""
        pipeline_id = None if pipeline is None else self._store.pipelines.find(pipeline).id
        return self._store.backfills.list(pipeline_id=pipeline_id, status=status, limit=limit, cursor=cursor)

    def get(self, backfill_id: str) -> Backfill:
        """The backfill of that id; NotFound if there is none."""
        return self._store.backfills.get(backfill_id)

    def progress(self, backfill: Backfill) -> Progress:
        """How far it is."""
        counts = self._store.runs.counts_by_backfill(backfill.id)
        total = len(backfill.intervals)
        return Progress(total, max(0, total - sum(counts.values())), counts)

    def moments(self, name_or_id: str, since: datetime, until: datetime, *, redo: Redo = "all") -> Sequence[datetime]:
        """When the pipeline's schedule fired, since <= moment <= until: what ``start`` would make runs for. None lies ahead.

        Raises:
            ConfigInvalid: The pipeline has no schedule, or the range is empty or holds too many.
        """
        return [each.at for each in self.plan(name_or_id, since, until, redo=redo) if each.chosen]

    def plan(self, name_or_id: str, since: datetime, until: datetime, *, redo: Redo = "all") -> Sequence[Interval]:
        """Every moment of a range with what its newest run came to, and whether it would be run.

        Raises:
            ConfigInvalid: The pipeline has no schedule, or the range is empty or holds too many.
        """
        return self._plan(self._store.pipelines.find(name_or_id), since, until, redo)

    def _plan(self, pipeline: Pipeline, since: datetime, until: datetime, redo: Redo) -> Sequence[Interval]:
        moments = _moments(pipeline, since, until)
        known = self._store.runs.outcomes(pipeline.id, moments[0], moments[-1]) if moments else {}
        return [Interval(at, known.get(at), _is_chosen(known.get(at), redo)) for at in moments]

    def start(
        self,
        name_or_id: str,
        since: datetime,
        until: datetime,
        *,
        redo: Redo = "all",
        parallel: int = 1,
        params: Mapping[str, Any] | None = None,
        author: str = LOCAL_NAME,
        document_id: str | None = None,
    ) -> Backfill:
        """Have a run made for each moment, the oldest first; ``redo`` leaves out those that need none.

        Raises:
            ConfigInvalid: There is no moment in the range, or a parameter cannot be used.
            PipelineInvalid: With these parameters it cannot run.
        """
        pipeline = self._store.pipelines.find(name_or_id)
        moments = _chosen(self._plan(pipeline, since, until, redo), redo)
        if not 1 <= parallel <= MOST_PARALLEL:
            raise ConfigInvalid(f"parallel is {parallel}; it is 1 to {MOST_PARALLEL}.", field="parallel")
        values = merged_params(pipeline.params, params)
        refuse_unrunnable(pipeline, values)
        backfill = Backfill(
            id=document_id or new_id(),
            pipeline_id=pipeline.id,
            pipeline_name=pipeline.name,
            since=since,
            until=until,
            intervals=moments,
            parallel=parallel,
            params={name: values[name] for name in params or {}},
            author=author,
            created_at=utc_now(),
        )
        self._store.backfills.add(backfill)
        self._audit.record(
            author, "started", "backfill", backfill.id, pipeline=pipeline.name, runs=len(moments), parallel=parallel
        )
        return backfill

    def pause(self, backfill_id: str, *, author: str = LOCAL_NAME) -> Backfill:
        """Start no more of its runs; those that wait or go on do so to their end.

        Raises:
            StateConflict: It is not running.
        """
        return self._moved(backfill_id, {"running"}, "paused", author)

    def resume(self, backfill_id: str, *, author: str = LOCAL_NAME) -> Backfill:
        """Go on after a pause.

        Raises:
            StateConflict: It is not paused.
        """
        return self._moved(backfill_id, {"paused"}, "running", author)

    def cancel(self, backfill_id: str, *, author: str = LOCAL_NAME) -> Backfill:
        """Start no more of its runs, and cancel those that wait or go on.

        Raises:
            StateConflict: It is over already.
        """
        cancelled = self._moved(backfill_id, {"running", "paused"}, "cancelled", author, finished_at=utc_now())
        for run in self._active(cancelled):
            try:
                self._runs.cancel(run.id, author=author)
            except StateConflict:
                continue  # it ended meanwhile
        return cancelled

    def _moved(self, backfill_id: str, expected: set[str], status: str, author: str, **changes: Any) -> Backfill:
        moved = self._store.backfills.move(backfill_id, expected, status, **changes)
        action = {"running": "resumed"}.get(status, status)
        self._audit.record(author, action, "backfill", backfill_id, pipeline=moved.pipeline_name)
        return moved

    def _active(self, backfill: Backfill) -> Sequence[Run]:
        return [run for run in self._store.runs.active(backfill.pipeline_id) if run.backfill_id == backfill.id]


_NOTHING = {
    "failed": "Every one of the {number:,} moments has a success, or a run that goes on. Choose another range, or redo all.",
    "missing": "Every one of the {number:,} moments has a run already. Choose another range, or redo more.",
}


def _chosen(plan: Sequence[Interval], redo: Redo) -> Sequence[datetime]:
    """The moments that get a run, at least one.

    Raises:
        ConfigInvalid: There is none; the message says whether the schedule does not fire, or nothing needs a run.
    """
    if not plan:
        raise ConfigInvalid("The schedule does not fire within this range. Choose another one.", field="since")
    moments = [each.at for each in plan if each.chosen]
    if not moments:
        raise ConfigInvalid(_NOTHING[redo].format(number=len(plan)), field="redo")
    return moments


def _is_chosen(status: str | None, redo: Redo) -> bool:
    if redo == "all":
        return True
    return status in (None, "missed") or (redo == "failed" and status in ("failed", "cancelled"))


def whole_days(pipeline: Pipeline, first: date, last: date) -> tuple[datetime, datetime]:
    """From the begin of one day to the end of another, in the schedule's time zone."""
    place = zone(pipeline.timezone)
    return datetime.combine(first, time.min, place), datetime.combine(last, time(23, 59, 59), place)


def _moments(pipeline: Pipeline, since: datetime, until: datetime) -> Sequence[datetime]:
    if pipeline.schedule is None:
        raise ConfigInvalid(
            f"Pipeline {pipeline.name!r} has no schedule to take the moments from. Give it one.", field="schedule"
        )
    if since > until:
        raise ConfigInvalid("The range ends before it starts. Swap since and until.", field="until")
    until = min(until, utc_now())  # what lies ahead is the schedule's own business
    try:
        start = since - timedelta(seconds=1)  # so that a fire at ``since`` itself counts
        found = fires_between(pipeline.schedule, pipeline.timezone, start, until, limit=MOST_RUNS + 1)
    except OverflowError:
        raise ConfigInvalid("The range is beyond the calendar. Choose another one.", field="since") from None
    if len(found) > MOST_RUNS:
        raise ConfigInvalid(f"The range holds more than {MOST_RUNS:,} fires. Split it.", field="until")
    return found
