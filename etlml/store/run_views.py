"""Runs as people look at them: beside each other, by day, step by step, the longest first."""

from collections.abc import Collection as Values
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from etlml.documents import Run
from etlml.store.encoding import decoded
from etlml.store.paging import QUERY_MS, bounded, contains, day_of, matching, within
from etlml.store.run_queue import RunQueue

HEAVY = {"steps": 0, "params": 0}
_STEP_FIELDS = ("id", "name", "type", "status", "started_at", "finished_at", "rows_out", "warnings", "fused_into")
_LIGHT_STEPS = {f"steps.{field}": 1 for field in _STEP_FIELDS} | dict.fromkeys(
    ("pipeline_id", "pipeline_name", "status", "trigger", "created_at", "started_at", "duration_s", "warnings"), 1
)


def runs_matching(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    q: str | None = None,
    warned: bool = False,
    **fields: str | Values[str] | None,
) -> dict[str, Any]:
    """A filter for runs.

    Args:
        since: The earliest creation.
        until: The creation before which they lie.
        q: Looked for in the pipeline's name, the error and the reason; or the beginning of an id.
        warned: Whether they must have warnings.
        fields: Fields and their values; None is left out, a collection means any of its values.
    """
    filter_ = matching(**fields) | within("created_at", since, until)
    if warned:
        filter_["warnings"] = {"$gt": 0}
    if q:
        text = [{field: contains(q)} for field in ("pipeline_name", "error.message", "reason")]
        filter_["$or"] = [*text, {"_id": {"$gte": q, "$lt": q + "\uffff"}}]
    return filter_


class RunViews(RunQueue):
    """What pages ask about runs, each one query that walks an index."""

    def longest(self, *, limit: int = 50, skip: int = 0, shortest: bool = False, **filters: Any) -> Sequence[Run]:
        """Ended runs, the longest (or the shortest) first, without steps; ``filters`` are those of ``runs_matching``."""
        sign = 1 if shortest else -1
        found = self.collection.find(
            {**runs_matching(**filters), "duration_s": {"$gte": 0}},
            sort=[("duration_s", sign), ("_id", sign)],
            limit=bounded(limit),
            skip=max(skip, 0),
            projection=HEAVY,
            max_ms=QUERY_MS,
        )
        return [decoded(Run, each) for each in found]

    def neighbour(self, run: Run, *, later: bool) -> str | None:
        """The id of the pipeline's run just after this one, or just before it."""
        past, sign = ("$gt", 1) if later else ("$lt", -1)
        found = self.collection.find_one(
            {
                "pipeline_id": run.pipeline_id,
                "created_at": {f"{past}e": run.created_at},
                "$or": [{"created_at": {past: run.created_at}}, {"_id": {past: run.id}}],
            },
            sort=[("created_at", sign), ("_id", sign)],
            projection={"_id": 1},
        )
        return None if found is None else str(found["_id"])

    def success_before(self, run: Run) -> str | None:
        """The id of the pipeline's last successful run before this one."""
        found = self.collection.find_one(
            {"pipeline_id": run.pipeline_id, "status": "success", "created_at": {"$lt": run.created_at}},
            sort=[("created_at", -1), ("_id", -1)],
            projection={"_id": 1},
        )
        return None if found is None else str(found["_id"])

    def usual_step_seconds(self, pipeline_id: str, *, besides: str | None = None, limit: int = 10) -> dict[str, float]:
        """Each step's median seconds over the pipeline's newest successful runs.

        Steps that were fused or cached don't count, nor does the run ``besides``.
        """
        found = self.collection.find(
            {"pipeline_id": pipeline_id, "status": "success"},
            sort=[("created_at", -1), ("_id", -1)],
            limit=limit,
            projection=_LIGHT_STEPS,
        )
        seconds: dict[str, list[float]] = {}
        for run in (decoded(Run, each) for each in found if each["_id"] != besides):
            for step in run.steps:
                if step.status == "success" and step.duration_s is not None and not step.fused_into:
                    seconds.setdefault(step.id, []).append(step.duration_s)
        return {step: sorted(values)[len(values) // 2] for step, values in seconds.items()}

    def by_day(self, *, timezone: str = "UTC", **filters: Any) -> Sequence[dict[str, Any]]:
        """``[{day, status, runs}]`` by day of creation in that time zone; ``filters`` are those of ``runs_matching``."""
        groups = self.collection.aggregate(
            [
                {"$match": runs_matching(**filters)},
                {"$group": {"_id": {"day": day_of("$created_at", timezone), "status": "$status"}, "runs": {"$sum": 1}}},
                {"$sort": {"_id.day": 1, "_id.status": 1}},
            ],
            max_ms=QUERY_MS,
        )
        return [{**each["_id"], "runs": each["runs"]} for each in groups]

    def grid(self, pipeline_id: str, *, limit: int = 40) -> Sequence[Run]:
        """The pipeline's newest runs, newest first, with what a grid shows of their steps and nothing else."""
        found = self.collection.find(
            {"pipeline_id": pipeline_id},
            sort=[("created_at", -1), ("_id", -1)],
            limit=bounded(limit),
            projection=_LIGHT_STEPS,
        )
        return [decoded(Run, each) for each in found]
