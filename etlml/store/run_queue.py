"""The queue in MongoDB: who may run what, until when. Every change of state is one atomic update.

A run's status lives in its document alone, and so does its place among the ``max_running`` runs of its pipeline:
``slot``, unique for (pipeline_id, slot) among running runs. Nothing is counted beside the documents, so nothing can
leak when a process dies: whatever makes a run stop being "running" frees its slot in the same write.

    pending ──claim──> running ──finish──> success | failed | cancelled
       │  ^               │
       │  └───────────────┴── release, take_back (take_back: failed after too many attempts)
       └── request_cancel ──> cancelled

``attempt`` is the fencing token: it grows with every claim and never shrinks, and a worker's writes carry it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zlib import crc32

from pymongo.errors import DuplicateKeyError

from etlml.clock import utc_now
from etlml.documents import ErrorInfo, Run
from etlml.errors import Conflict, InvalidInput, NameTaken, StateConflict
from etlml.store.base import DocumentStore
from etlml.store.encoding import Document, decoded, encoded, storable
from etlml.store.run_updates import RUNNING, claimable, claimed_by, ended, held_by, queued_again, worker_lost

ORDER = [("priority", -1), ("created_at", 1), ("_id", 1)]


@dataclass(frozen=True)
class Held:
    """What a heartbeat found: the runs that are still the worker's, and those of them that shall stop."""

    runs: frozenset[str]
    cancelled: frozenset[str]


class RunQueue(DocumentStore[Run]):
    """Adding, claiming, holding and ending runs. Thread-safe, and safe between any number of processes."""

    model = Run
    kind = "run"

    def add(self, document: Run) -> Run:
        """Queue a run (or record a missed or skipped one).

        Raises:
            NameTaken: The id is stored already.
            Conflict: This fire of the schedule, or this interval of the backfill, has its run already.
            InvalidInput: It claims to be running.
        """
        if document.status == "running":
            raise InvalidInput("A run starts as pending; only a claim makes it running.")
        slot = crc32(document.id.encode()) % document.max_running
        try:
            self.collection.insert(encoded(document) | {"slot": slot, "releases": 0}, taken=self._taken(document))
        except NameTaken:
            if document.scheduled_for is None or self.collection.find_one({"_id": document.id}, projection={"_id": 1}):
                raise
            fire = f"{document.pipeline_name or document.pipeline_id} at {document.scheduled_for:%Y-%m-%d %H:%M:%S} UTC"
            raise Conflict(
                f"There is already a run of {fire}.", scheduled_for=document.scheduled_for.isoformat()
            ) from None
        return document

    def claim(self, worker_id: str, now: datetime, lease_s: float) -> Run | None:
        """Take the oldest of the most urgent runs that may start now; None if there is none.

        One atomic update. Only where a pipeline already runs as much as it may, a second look passes its runs over.
        """
        try:
            found = self.collection.change(claimable(now), claimed_by(worker_id, now, lease_s), sort=ORDER)
        except DuplicateKeyError:
            found = self._claim_past_busy(worker_id, now, lease_s)
        return decoded(Run, found) if found else None

    def _claim_past_busy(self, worker_id: str, now: datetime, lease_s: float) -> Document | None:
        taken: dict[str, set[int]] = {}
        for each in self.collection.find(RUNNING, projection={"_id": 0, "pipeline_id": 1, "slot": 1}):
            taken.setdefault(each["pipeline_id"], set()).add(each["slot"])
        full: set[str] = set()
        needed = {"pipeline_id": 1, "max_running": 1}
        while True:
            waiting = claimable(now) | ({"pipeline_id": {"$nin": sorted(full)}} if full else {})
            candidate = self.collection.find_one(waiting, sort=ORDER, projection=needed)
            if candidate is None:
                return None
            used = taken.setdefault(candidate["pipeline_id"], set())
            slot = next((each for each in range(candidate["max_running"]) if each not in used), None)
            if slot is None:
                full.add(candidate["pipeline_id"])
                continue
            try:
                chosen = {"_id": candidate["_id"], **claimable(now)}
                found = self.collection.change(chosen, claimed_by(worker_id, now, lease_s, slot=slot))
            except DuplicateKeyError:
                used.add(slot)
                continue
            if found is not None:
                return found

    def heartbeat(self, worker_id: str, run_ids: Sequence[str], until: datetime) -> Held:
        """Prolong the leases of the runs that are still this worker's, and learn which of them shall stop."""
        ours = {"_id": {"$in": list(run_ids)}, "worker": worker_id, **RUNNING}
        if not run_ids or self.collection.update_many(ours, {"$set": {"lease_until": until}}) == 0:
            return Held(frozenset(), frozenset())
        found = self.collection.find(ours, projection={"cancel_requested": 1})
        return Held(
            frozenset(str(each["_id"]) for each in found),
            frozenset(str(each["_id"]) for each in found if each["cancel_requested"]),
        )

    def set_step(self, run_id: str, attempt: int, worker: str, index: int, changes: Mapping[str, Any]) -> None:
        """Change one step of a run that is ours; StateConflict if the lease was lost."""
        self.set_steps(run_id, attempt, worker, {index: changes})

    def set_steps(self, run_id: str, attempt: int, worker: str, changes: Mapping[int, Mapping[str, Any]]) -> None:
        """Change several steps in one update.

        Args:
            run_id: Which run.
            attempt: The attempt that the claim gave.
            worker: Who claimed it.
            changes: By the step's index in ``run.steps``: new values of some of its fields.

        Raises:
            StateConflict: The lease was lost; nothing was written.
        """
        fields = step_fields(changes)
        if fields and not self.collection.update(held_by(run_id, attempt, worker), {"$set": fields}):
            raise self._lost(run_id, worker)

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
        reason: str | None = None,
        steps: Mapping[int, Mapping[str, Any]] | None = None,
        started_at: datetime | None = None,
    ) -> Run:
        """End a run that is ours, with the last changes of its steps if given; in one update if ``started_at`` is known.

        Raises:
            StateConflict: The lease was lost; nothing was written.
        """
        if started_at is None:
            if steps:
                self.set_steps(run_id, attempt, worker, steps)
            update: Any = [{"$set": ended(status, now, error=error, reason=reason) | {"warnings": warnings}}]
        else:
            fields = {
                "status": status,
                "finished_at": now,
                "duration_s": (now - started_at).total_seconds(),
                "lease_until": None,
                "error": storable(error),
                "warnings": warnings,
            }
            update = {"$set": fields | ({"reason": reason} if reason else {}) | step_fields(steps or {})}
        found = self.collection.change(held_by(run_id, attempt, worker), update)
        if found is None:
            raise self._lost(run_id, worker)
        return decoded(Run, found)

    def release(
        self, run_id: str, attempt: int, worker: str, *, not_before: datetime | None = None, reason: str | None = None
    ) -> Run:
        """Put a run that is ours back into the queue (a worker that stops); this attempt does not count as failed.

        One that was to be cancelled ends as cancelled in place of that.

        Raises:
            StateConflict: The lease was lost; nothing was written.
        """
        held = held_by(run_id, attempt, worker)
        current = self.collection.find_one(held)
        if current is None:
            raise self._lost(run_id, worker)
        run = decoded(Run, current)
        update: list[dict[str, Any]] | dict[str, Any]
        if run.cancel_requested:
            update = [{"$set": ended("cancelled", utc_now(), reason=run.reason)}]
        else:
            fields = queued_again(run) | {"not_before": not_before, "reason": reason or run.reason}
            update = {"$set": fields, "$inc": {"releases": 1}}
        found = self.collection.change(held, update)
        if found is None:
            raise self._lost(run_id, worker)
        return decoded(Run, found)

    def request_cancel(self, run_id: str, now: datetime | None = None, *, reason: str | None = None) -> Run:
        """Stop a run: a pending one is cancelled at once, a running one is asked to stop.

        Raises:
            NotFound: There is no such run.
            StateConflict: It has ended already.
        """
        fields = ended("cancelled", now or utc_now(), reason=reason)
        asked = {"cancel_requested": True} | ({"reason": reason} if reason else {})
        while True:  # a run may be claimed or taken back between the two looks
            found = self.collection.change({"_id": run_id, "status": "pending"}, [{"$set": fields}])
            found = found or self.collection.change({"_id": run_id, **RUNNING}, {"$set": asked})
            if found is not None:
                return decoded(Run, found)
            if (run := self.get(run_id)).is_final:
                raise StateConflict(f"Run {run_id!r} has ended already: {run.status}.", status=run.status)

    def expired(self, now: datetime, *, limit: int = 100) -> Sequence[Run]:
        """Running runs whose lease ran out before ``now``, the longest lost first."""
        lost = {**RUNNING, "lease_until": {"$lt": now}}
        return [decoded(Run, each) for each in self.collection.find(lost, sort=[("lease_until", 1)], limit=limit)]

    def expire_leases(self, worker_id: str, now: datetime) -> int:
        """End the leases of a worker that is known to be dead, so that its runs can be taken back; how many it had."""
        over = {"$set": {"lease_until": now - timedelta(milliseconds=1)}}
        return self.collection.update_many({"worker": worker_id, **RUNNING}, over)

    def take_back(self, run_id: str, now: datetime, max_attempts: int = 3) -> Run | None:
        """Take a run whose lease ran out from its worker.

        It waits again, resuming after its last finished step; it ends as failed after ``max_attempts`` attempts that
        were lost so, and as cancelled if that was asked for.

        Returns:
            The run as it is now; None if its lease was prolonged or somebody else was faster.
        """
        lost = {"_id": run_id, **RUNNING, "lease_until": {"$lt": now}}
        current = self.collection.find_one(lost)
        if current is None:
            return None
        run, lost_attempts = decoded(Run, current), current["attempt"] - current.get("releases", 0)
        update: list[dict[str, Any]] | dict[str, Any]
        if run.cancel_requested:
            update = [{"$set": ended("cancelled", now, reason=run.reason)}]
        elif lost_attempts >= max_attempts:
            update = [{"$set": ended("failed", now, error=worker_lost(run, lost_attempts))}]
        else:
            update = {"$set": queued_again(run)}
        # A worker that was only slow may write until this moment; then look again at the next chance.
        unchanged = {f"steps.{index}.status": step.status for index, step in enumerate(run.steps)}
        found = self.collection.change(lost | unchanged | {"attempt": run.attempt}, update)
        return decoded(Run, found) if found else None

    def _lost(self, run_id: str, worker: str) -> StateConflict:
        return StateConflict(
            f"Run {run_id!r} is no longer held by worker {worker!r}. Its lease ran out, or it has ended."
        )


def step_fields(changes: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """The fields of a run's document for new values of some fields of its steps, by the step's index."""
    return {f"steps.{index}.{name}": storable(value) for index, step in changes.items() for name, value in step.items()}
