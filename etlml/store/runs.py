"""Runs: the queue, the lists and figures that people look at, and what retention removes."""

import re
from collections.abc import Collection as Values
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from etlml.documents import FINAL_RUN_STATUSES, Run
from etlml.store.encoding import decoded
from etlml.store.paging import QUERY_MS, Page, bounded, contains, day_of, hour_of, matching, within
from etlml.store.run_views import HEAVY, RunViews, runs_matching
from etlml.store.run_watch import Wakeup, wakeups


class RunStore(RunViews):
    """All runs. Thread-safe; what it returns are copies."""

    def list(
        self,
        *,
        pipeline_id: str | None = None,
        status: str | Values[str] | None = None,
        trigger: str | Values[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        q: str | None = None,
        backfill_id: str | None = None,
        retry_of: str | None = None,
        worker: str | None = None,
        warned: bool = False,
        limit: int = 50,
        cursor: str | None = None,
        newest_first: bool = True,
        with_steps: bool = True,
    ) -> Page[Run]:
        """Runs by their creation, newest first.

        Args:
            q: Looked for in the pipeline's name, the error and the reason; or the beginning of an id.
            warned: Whether they must have warnings.
            with_steps: False leaves ``steps`` and ``params`` empty: long lists of long pipelines stay light.
        """
        filter_ = runs_matching(
            pipeline_id=pipeline_id,
            status=status,
            trigger=trigger,
            backfill_id=backfill_id,
            retry_of=retry_of,
            worker=worker,
            since=since,
            until=until,
            q=q,
            warned=warned,
        )
        projection = None if with_steps else HEAVY
        return self._page(filter_, limit=limit, cursor=cursor, newest_first=newest_first, projection=projection)

    def fires(
        self,
        pipeline_id: str,
        *,
        status: str | Values[str] | None = None,
        reason: str | None = None,
        unlike: str | None = None,
        limit: int = 50,
        before: datetime | None = None,
    ) -> Sequence[Run]:
        """What became of a schedule's fires, the newest first, without steps.

        Args:
            reason: Only those whose reason holds this text.
            unlike: Only those whose reason does not hold this text.
            before: Only fires before this moment: the last one of the part shown so far.
        """
        filter_ = matching(pipeline_id=pipeline_id, trigger="schedule", status=status)
        filter_["scheduled_for"] = {"$lt": before} if before else {"$type": "date"}
        if reason or unlike:
            text = contains(reason or unlike or "")
            filter_["reason"] = text if reason else {"$not": re.compile(re.escape(unlike or ""), re.IGNORECASE)}
        found = self.collection.find(
            filter_,
            sort=[("scheduled_for", -1)],
            limit=bounded(limit),
            projection=HEAVY,
            max_ms=QUERY_MS,
            index="fire",
        )
        return [decoded(Run, each) for each in found]

    def outcomes(self, pipeline_id: str, since: datetime, until: datetime) -> dict[datetime, str]:
        """The status of the newest run for each scheduled moment since <= moment <= until, by any trigger."""
        found = self.collection.find(
            {"pipeline_id": pipeline_id, "scheduled_for": {"$gte": since, "$lte": until}},
            sort=[("created_at", 1), ("_id", 1)],
            projection={"scheduled_for": 1, "status": 1},
            max_ms=QUERY_MS,
        )
        return {each["scheduled_for"]: str(each["status"]) for each in found}

    def active(self, pipeline_id: str) -> Sequence[Run]:
        """The pipeline's runs that wait or go on, oldest first."""
        filter_ = {"pipeline_id": pipeline_id, "status": {"$in": ["pending", "running"]}}
        return [decoded(Run, each) for each in self.collection.find(filter_, sort=[("created_at", 1), ("_id", 1)])]

    def all_active(self) -> Sequence[str]:
        """The ids of all runs that wait or go on."""
        found = self.collection.find({"status": {"$in": ["pending", "running"]}}, projection={"_id": 1})
        return [str(each["_id"]) for each in found]

    def beyond(self, newest: int, *, limit: int = 10_000) -> Sequence[str]:
        """The ids of ended runs that are not among the ``newest`` of their pipeline."""
        ended = {"status": {"$in": sorted(FINAL_RUN_STATUSES)}}
        found: list[str] = []
        for group in self.collection.aggregate([{"$group": {"_id": "$pipeline_id", "runs": {"$sum": 1}}}]):
            if group["runs"] > newest:
                of_pipeline = {"pipeline_id": group["_id"], **ended}
                order = [("created_at", -1), ("_id", -1)]
                ids = self.collection.find(of_pipeline, sort=order, projection={"_id": 1}, limit=newest + limit)
                found += [str(each["_id"]) for each in ids[newest:]]
        return found[:limit]

    def latest_of(self, pipeline_ids: Sequence[str], *, status: str | None = None) -> dict[str, Run]:
        """The newest run of each pipeline, of that status if given, without its steps."""
        found: dict[str, Run] = {}
        for pipeline_id in pipeline_ids:
            for run in self.list(pipeline_id=pipeline_id, status=status, limit=1, with_steps=False).items:
                found[pipeline_id] = run
        return found

    def counts_by_status(
        self, *, since: datetime | None = None, until: datetime | None = None, pipeline_id: str | None = None
    ) -> dict[str, int]:
        """How many runs there are in each status; statuses without runs are left out."""
        filter_ = matching(pipeline_id=pipeline_id) | within("created_at", since, until)
        groups = self.collection.aggregate(
            # of all runs: asking for any status has the server walk an index instead of reading the runs
            [{"$match": filter_ or {"status": {"$gt": ""}}}, {"$group": {"_id": "$status", "runs": {"$sum": 1}}}],
            max_ms=QUERY_MS,
        )
        return {each["_id"]: each["runs"] for each in groups}

    def counts_by_backfill(self, backfill_id: str) -> dict[str, int]:
        """How many runs of a backfill are in each status."""
        groups = self.collection.aggregate(
            [{"$match": {"backfill_id": backfill_id}}, {"$group": {"_id": "$status", "runs": {"$sum": 1}}}]
        )
        return {each["_id"]: each["runs"] for each in groups}

    def stats(
        self, since: datetime, *, until: datetime | None = None, timezone: str = "UTC", hourly: bool = False
    ) -> dict[str, Any]:
        """Figures of the runs created since then; ``hourly`` has an hour in the place of each day.

        Returns:
            counts {status: runs}, success_rate (0 to 1, of success and failed; None without any), by_day [{day, status,
            runs}] in that time zone, by_pipeline [{pipeline_id, pipeline_name, runs, failed, mean_s, max_s}] most runs first.
        """
        match = {"$match": within("created_at", since, until)}
        day = (hour_of if hourly else day_of)("$created_at", timezone)
        days = self.collection.aggregate(
            [
                match,
                {"$group": {"_id": {"day": day, "status": "$status"}, "runs": {"$sum": 1}}},
                {"$sort": {"_id.day": 1, "_id.status": 1}},
            ],
            max_ms=QUERY_MS,
        )
        counts: dict[str, int] = {}
        for each in days:
            counts[each["_id"]["status"]] = counts.get(each["_id"]["status"], 0) + each["runs"]
        ended = counts.get("success", 0) + counts.get("failed", 0)
        return {
            "counts": counts,
            "success_rate": counts.get("success", 0) / ended if ended else None,
            "by_day": [{**each["_id"], "runs": each["runs"]} for each in days],
            "by_pipeline": self._by_pipeline(match),
        }

    def _by_pipeline(self, match: dict[str, Any]) -> Sequence[dict[str, Any]]:
        group = {
            "_id": "$pipeline_id",
            "pipeline_name": {"$last": "$pipeline_name"},
            "runs": {"$sum": 1},
            "failed": {"$sum": {"$cond": [{"$eq": ["$status", "failed"]}, 1, 0]}},
            "mean_s": {"$avg": "$duration_s"},
            "max_s": {"$max": "$duration_s"},
        }
        groups = self.collection.aggregate(
            [match, {"$group": group}, {"$sort": {"runs": -1, "_id": 1}}], max_ms=QUERY_MS
        )
        return [{"pipeline_id": each.pop("_id"), **each} for each in groups]

    def durations(self, pipeline_id: str, *, limit: int = 20) -> Sequence[float]:
        """Seconds of the pipeline's newest successful runs, newest first: what a progress bar expects."""
        found = self.collection.find(
            {"pipeline_id": pipeline_id, "status": "success"},
            sort=[("created_at", -1), ("_id", -1)],
            limit=limit,
            projection={"duration_s": 1},
        )
        return [each["duration_s"] for each in found if each.get("duration_s") is not None]

    def watch(self, *, timeout_s: float = 1.0) -> Iterator[Wakeup | None]:
        """Wake-ups as runs are queued, cancelled or ended by anybody; None whenever ``timeout_s`` passed without one.

        Close the iterator when done. It never ends by itself, and survives restarts of MongoDB.
        """
        return wakeups(self.collection.raw, timeout_s=timeout_s)

    def ended_before(self, before: datetime, *, limit: int = 1000) -> Sequence[Run]:
        """Ended runs created before then, oldest first, without their steps: what retention may remove."""
        filter_ = {"status": {"$in": sorted(FINAL_RUN_STATUSES)}, **within("created_at", None, before)}
        found = self.collection.find(filter_, sort=[("created_at", 1), ("_id", 1)], limit=limit, projection=HEAVY)
        return [decoded(Run, each) for each in found]

    def ended_after(self, after: datetime, *, limit: int = 500) -> Sequence[Run]:
        """Runs that ended after then, the first to end first, without their steps: what messages are about."""
        found = self.collection.find(
            {"finished_at": {"$gt": after}}, sort=[("finished_at", 1)], limit=limit, projection=HEAVY
        )
        return [decoded(Run, each) for each in found]

    def outcome_before(self, run: Run) -> str | None:
        """How the last run of its pipeline came out that was made before this one: success or failed; None without any."""
        filter_ = {
            "pipeline_id": run.pipeline_id,
            "status": {"$in": ["failed", "success"]},
            "created_at": {"$lt": run.created_at},
        }
        found = self.collection.find_one(filter_, sort=[("created_at", -1), ("_id", -1)], projection={"status": 1})
        return None if found is None else str(found["status"])

    def delete_ended(self, run_ids: Sequence[str]) -> int:
        """Remove those of the runs that have ended; how many that were."""
        return self.collection.delete({"_id": {"$in": [*run_ids]}, "status": {"$in": sorted(FINAL_RUN_STATUSES)}})
