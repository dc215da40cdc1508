"""What a run writes about itself: step states, durable, in order, only while the worker holds the lease."""

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from etlml.clock import Clock
from etlml.documents import ErrorInfo, Run, StepRun
from etlml.engine.patience import patiently
from etlml.errors import StateConflict, Unavailable

LOG = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker, or nobody, holds this run now: stop working on it and write nothing more."""


class RunWriter(Protocol):
    """The part of the run store that a journal needs; writes raise StateConflict when the lease is lost."""

    def set_steps(self, run_id: str, attempt: int, worker: str, changes: Mapping[int, Mapping[str, Any]]) -> None: ...

    def finish(
        self,
        run_id: str,
        attempt: int,
        worker: str,
        status: Literal["success", "failed", "cancelled"],
        now: datetime,
        error: ErrorInfo | None = None,
        warnings: int = 0,
        *,
        steps: Mapping[int, Mapping[str, Any]] | None = None,
        started_at: datetime | None = None,
    ) -> Run: ...

    def get(self, key: str) -> Run: ...


class Journal:
    """The states of one run's steps, in memory and in MongoDB. Safe to use from several threads.

    A change is durable when ``write`` returns. ``note`` keeps it for the next write: a step that only adds to a query
    takes microseconds, and its "running" need not be a round trip of its own.

    Args:
        run: The claimed run; its steps are changed in place.
        writer: Where the changes go.
        now: The clock.
    """

    def __init__(self, run: Run, writer: RunWriter, now: Clock) -> None:
        if run.worker is None:
            raise ValueError("a journal needs a run that was claimed")
        self._run, self._writer, self._now, self._worker = run, writer, now, run.worker
        self._index = {step.id: position for position, step in enumerate(run.steps)}
        self._noted: dict[int, dict[str, Any]] = {}
        self._lock = threading.RLock()

    def step(self, step_id: str) -> StepRun:
        """The step's state as this process knows it."""
        return self._run.steps[self._index[step_id]]

    def note(self, step_id: str, **changes: Any) -> None:
        """Change a step's state; MongoDB hears of it with the next write."""
        with self._lock:
            position = self._index[step_id]
            for name, value in changes.items():
                setattr(self._run.steps[position], name, value)
            self._noted.setdefault(position, {}).update(changes)

    def write(self, step_id: str | None = None, **changes: Any) -> None:
        """Change a step's state, if one is given, and make all that was noted durable.

        Raises:
            LeaseLost: Somebody else owns the run now; nothing was written.
            Unavailable: MongoDB stayed away for too long.
        """
        with self._lock:
            if step_id is not None:
                self.note(step_id, **changes)
            if not self._noted:
                return
            noted = dict(self._noted)
            try:
                patiently(lambda: self._writer.set_steps(self._run.id, self._run.attempt, self._worker, noted))
            except StateConflict:
                raise LeaseLost(self._run.id) from None
            self._noted.clear()

    def progressed(self, shares: Mapping[str, float]) -> None:
        """Have MongoDB hear how far the steps at work are, if that changed; nothing depends on it, so nothing waits for it."""
        with self._lock:
            for step in self._run.steps:
                share = shares.get(step.id) if step.status == "running" else step.progress
                if _hundredths(share) != _hundredths(step.progress):
                    self.note(step.id, progress=share)
            if not self._noted:
                return
            try:
                self._writer.set_steps(self._run.id, self._run.attempt, self._worker, self._noted)
                self._noted = {}
            except (StateConflict, Unavailable) as error:
                LOG.debug("no progress written: %s", error)  # the heartbeat tells of it

    def started(self, step_id: str) -> None:
        """Note that a step is at work (again)."""
        step = self.step(step_id)
        self.note(
            step_id, status="running", started_at=step.started_at or self._now(), attempts=step.attempts + 1, error=None
        )

    def ended(self, step_id: str, **changes: Any) -> None:
        """Note that a step is done; ``changes`` says how."""
        if self.step(step_id).progress is not None:
            changes["progress"] = None
        self.note(step_id, finished_at=self._now(), **changes)

    def finish(self, status: Literal["success", "failed", "cancelled"], error: ErrorInfo | None) -> Run:
        """Make everything durable and the run final.

        Raises:
            LeaseLost: Somebody else owns the run now.
        """
        run, warnings = self._run, sum(step.warnings for step in self._run.steps)
        try:
            return patiently(
                lambda: self._writer.finish(
                    run.id,
                    run.attempt,
                    self._worker,
                    status,
                    self._now(),
                    error,
                    warnings,
                    steps=self._noted,
                    started_at=run.started_at,
                )
            )
        except StateConflict:
            # The first try may have been written although its answer was lost.
            stored = patiently(lambda: self._writer.get(self._run.id))
            if stored.is_final and (stored.worker, stored.attempt) == (self._worker, self._run.attempt):
                return stored
            raise LeaseLost(self._run.id) from None


def _hundredths(share: float | None) -> int | None:
    return None if share is None else int(share * 100)


def first_error(steps: Sequence[StepRun]) -> ErrorInfo | None:
    """The error of the step that failed first: the root of what followed."""
    failed = [step for step in steps if step.status == "failed" and step.error is not None]
    failed.sort(key=lambda step: (step.finished_at is None, step.finished_at))
    return failed[0].error if failed else None
