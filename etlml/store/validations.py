"""Evaluations of rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from etlml.documents import Validation
from etlml.store.base import DocumentStore
from etlml.store.encoding import decoded
from etlml.store.paging import QUERY_MS, Page, contains, day_of, matching, within


class ValidationStore(DocumentStore[Validation]):
    """All evaluations, newest first."""

    model = Validation
    kind = "validation"

    def list(
        self,
        *,
        pipeline_id: str | None = None,
        run_id: str | None = None,
        step_id: str | None = None,
        status: str | None = None,
        name: str | None = None,
        q: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
        with_samples: bool = True,
    ) -> Page[Validation]:
        """Evaluations; ``q`` is looked for in name and dataset. Profiles and sample rows can be left out."""
        filter_ = matching(pipeline_id=pipeline_id, run_id=run_id, step_id=step_id, status=status, name=name)
        filter_ |= within("created_at", since, until)
        if q:
            filter_["$or"] = [{field: contains(q)} for field in ("name", "dataset")]
        light = None if with_samples else {"profile": 0, "rules.sample": 0}
        return self._page(filter_, limit=limit, cursor=cursor, projection=light)

    def stats(self, since: datetime, *, timezone: str = "UTC") -> dict[str, Any]:
        """Figures of the evaluations since then.

        Returns:
            counts {status: n}, score (mean, 0 to 1; None without any), by_day [{day, score, n}].
        """
        day = day_of("$created_at", timezone)
        group = {"_id": {"day": day, "status": "$status"}, "n": {"$sum": 1}, "scores": {"$sum": "$score"}}
        groups = self.collection.aggregate(
            [{"$match": within("created_at", since, None)}, {"$group": group}], max_ms=QUERY_MS
        )
        counts: dict[str, int] = {}
        days: dict[str, list[float]] = {}
        for each in groups:
            counts[each["_id"]["status"]] = counts.get(each["_id"]["status"], 0) + each["n"]
            total = days.setdefault(each["_id"]["day"], [0, 0.0])
            total[0] += each["n"]
            total[1] += each["scores"]
        evaluations = sum(counts.values())
        return {
            "counts": counts,
            "score": sum(score for _, score in days.values()) / evaluations if evaluations else None,
            "by_day": [{"day": day, "score": score / n, "n": int(n)} for day, (n, score) in sorted(days.items())],
        }

    def troubled_after(self, after: datetime, *, limit: int = 500) -> Sequence[Validation]:
        """Evaluations after then that found something, the first first, without samples and profiles."""
        found = self.collection.find(
            {
                "created_at": {"$gt": after},
                "$or": [{"status": {"$in": ["failed", "warning"]}}, {"quarantine": {"$ne": None}}],
            },
            sort=[("created_at", 1)],
            limit=limit,
            projection={"profile": 0, "rules.sample": 0},
        )
        return [decoded(Validation, each) for each in found]

    def count_before(self, before: datetime) -> int:
        """How many evaluations are older than that."""
        return self.collection.count({"created_at": {"$lt": before}})

    def delete_before(self, before: datetime) -> int:
        """Remove the evaluations from before then; how many there were."""
        return self.collection.delete({"created_at": {"$lt": before}})

    def delete_of_runs(self, run_ids: Sequence[str]) -> int:
        """Remove the evaluations of those runs; how many there were."""
        return self.collection.delete({"run_id": {"$in": [*run_ids]}})
