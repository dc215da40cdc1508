"""The filters and updates that move a run from state to state, as data."""

from datetime import datetime, timedelta
from typing import Any

from etlml.documents import FINAL_RUN_STATUSES, ErrorInfo, Run, RunStatus
from etlml.errors import InvalidInput
from etlml.store.encoding import storable

RUNNING = {"status": "running"}


def claimable(now: datetime) -> dict[str, Any]:
    """The runs that may start now."""
    return {"status": "pending", "not_before": {"$not": {"$gt": now}}}


def claimed_by(worker_id: str, now: datetime, lease_s: float, *, slot: int | None = None) -> list[dict[str, Any]]:
    """The update of a claim; ``slot`` is the run's place among those of its pipeline, if not the one it has."""
    fields: dict[str, Any] = {
        "status": "running",
        "worker": {"$literal": worker_id},
        "lease_until": now + timedelta(seconds=lease_s),
        "attempt": {"$add": ["$attempt", 1]},
        "started_at": {"$ifNull": ["$started_at", now]},
    }
    return [{"$set": fields if slot is None else fields | {"slot": slot}}]


def held_by(run_id: str, attempt: int, worker: str) -> dict[str, Any]:
    """The run, if it is still this attempt of this worker."""
    return {"_id": run_id, "worker": worker, "attempt": attempt, **RUNNING}


def queued_again(run: Run) -> dict[str, Any]:
    """The fields of a run that waits again, to resume after its last finished step."""
    again = {f"steps.{index}.status": "pending" for index, step in enumerate(run.steps) if step.status == "running"}
    return {"status": "pending", "worker": None, "lease_until": None, **again}


def ended(
    status: RunStatus, now: datetime, *, error: ErrorInfo | None = None, reason: str | None = None
) -> dict[str, Any]:
    """The fields of a run that ends, for an update pipeline; InvalidInput if the status is not final."""
    if status not in FINAL_RUN_STATUSES:
        raise InvalidInput(f"{status!r} does not end a run.")
    # Within an update pipeline text that begins with "$" would be a field's name, hence the literals.
    return {
        "status": status,
        "finished_at": now,
        "duration_s": {"$divide": [{"$subtract": [now, {"$ifNull": ["$started_at", now]}]}, 1000]},
        "lease_until": None,
        "error": {"$literal": storable(error)},
        "reason": {"$ifNull": [{"$literal": reason}, "$reason"]},
    }


def worker_lost(run: Run, attempts: int) -> ErrorInfo:
    """The error of a run that took too many workers with it, or was let down by them."""
    message = (
        f"The worker was lost {attempts} times while this run was going on (last: {run.worker}). "
        "Look into its log for a crash or a lack of memory, then retry from the failed step."
    )
    return ErrorInfo(
        step=next((step.id for step in run.steps if step.status == "running"), None), type="WorkerLost", message=message
    )
