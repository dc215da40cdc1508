"""Experiments and the metric points that trainings log."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pymongo.database import Database

from etlml.documents import ErrorInfo, Experiment, MetricPoint
from etlml.errors import StateConflict
from etlml.store.base import DocumentStore
from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document, decoded, encoded, storable
from etlml.store.paging import QUERY_MS, Page, bounded, contains, matching, within

_LIGHT = {"artifacts": 0, "environment": 0}


class ExperimentStore(DocumentStore[Experiment]):
    """Trainings, running or ended."""

    model = Experiment
    kind = "experiment"

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._points = Collection(database[MetricPoint.collection])

    def list(
        self,
        *,
        project: str | None = None,
        status: str | None = None,
        pipeline_id: str | None = None,
        run_id: str | None = None,
        tag: str | None = None,
        model_name: str | None = None,
        q: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
        with_artifacts: bool = True,
    ) -> Page[Experiment]:
        """Experiments, newest first; ``q`` is looked for in name and description."""
        filter_ = _filter(
            q,
            project=project,
            status=status,
            pipeline_id=pipeline_id,
            run_id=run_id,
            tags=tag,
            model_name=model_name,
        ) | within("created_at", since, until)
        return self._page(filter_, limit=limit, cursor=cursor, projection=None if with_artifacts else _LIGHT)

    def best(
        self,
        metric: str,
        *,
        lowest: bool = False,
        project: str | None = None,
        status: str | None = None,
        q: str | None = None,
        limit: int = 50,
    ) -> Sequence[Experiment]:
        """The experiments with the highest value of a metric, or the lowest; without their artifacts."""
        field = f"metrics.{metric}"
        found = self.collection.find(
            _filter(q, project=project, status=status) | {field: {"$gte": -math.inf}},
            sort=[(field, 1 if lowest else -1)],
            limit=bounded(limit),
            projection=_LIGHT,
            max_ms=QUERY_MS,
        )
        return [decoded(Experiment, each) for each in found]

    def projects(self) -> Sequence[str]:
        """The names of the projects, sorted."""
        return sorted(each["_id"] for each in self.collection.aggregate([{"$group": {"_id": "$project"}}]))

    def counts_by_status(self) -> dict[str, int]:
        """How many experiments there are in each status."""
        groups = self.collection.aggregate([{"$group": {"_id": "$status", "n": {"$sum": 1}}}], max_ms=QUERY_MS)
        return {each["_id"]: each["n"] for each in groups}

    def finish(
        self,
        experiment_id: str,
        status: Literal["completed", "failed", "cancelled"],
        now: datetime,
        *,
        metrics: Mapping[str, float | None] | None = None,
        error: ErrorInfo | None = None,
        **changes: Any,
    ) -> Experiment:
        """End a running experiment; ``metrics`` are added to those it has.

        Raises:
            NotFound: There is no such experiment.
            StateConflict: It has ended already.
        """
        stored = self.get(experiment_id)
        merged = {**stored.metrics, **(metrics or {})}
        ended = {**changes, "status": status, "finished_at": now, "error": error, "metrics": merged}
        found = self.collection.change({"_id": experiment_id, "status": "running"}, {"$set": storable(ended)})
        if found is None:
            raise StateConflict(
                f"Experiment {experiment_id!r} has ended already: {stored.status}.", status=stored.status
            )
        return decoded(Experiment, found)

    def delete(self, key: str) -> None:
        """Remove an experiment with its metric points; NotFound if there is none."""
        super().delete(key)
        self._points.delete({"experiment_id": key})

    def delete_many(self, experiment_ids: Sequence[str]) -> int:
        """Remove experiments with their metric points; how many experiments there were."""
        self._points.delete({"experiment_id": {"$in": [*experiment_ids]}})
        return self.collection.delete({"_id": {"$in": [*experiment_ids]}})


def _filter(q: str | None, **fields: Any) -> dict[str, Any]:
    filter_ = matching(**fields)
    if q:
        filter_["$or"] = [{field: contains(q)} for field in ("name", "description")]
    return filter_


class MetricPointStore:
    """The values that metrics took while trainings went on. A power cut may lose the last ones."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database[MetricPoint.collection], write_concern=RELAXED)

    def add_many(self, points: Iterable[MetricPoint]) -> None:
        """Store points in one round trip."""
        self.collection.insert_many([encoded(point) for point in points])

    def series(self, experiment_id: str, key: str) -> Sequence[MetricPoint]:
        """One metric's points by step, then by time; empty if there are none."""
        found = self.collection.find({"experiment_id": experiment_id, "key": key}, sort=[("step", 1), ("ts", 1)])
        return [decoded(MetricPoint, each) for each in found]

    def keys(self, experiment_id: str) -> Sequence[str]:
        """The metrics that have points, sorted."""
        groups = self.collection.aggregate([{"$match": {"experiment_id": experiment_id}}, {"$group": {"_id": "$key"}}])
        return sorted(each["_id"] for each in groups)

    def last(self, experiment_id: str) -> dict[str, MetricPoint]:
        """Each metric's last point."""
        found: dict[str, MetricPoint] = {}
        for key in self.keys(experiment_id):
            filter_ = {"experiment_id": experiment_id, "key": key}
            newest = self.collection.find_one(filter_, sort=[("step", -1), ("ts", -1)])
            if newest is not None:
                found[key] = decoded(MetricPoint, newest)
        return found

    def delete_of(self, experiment_ids: Sequence[str]) -> int:
        """Remove the points of those experiments; how many there were."""
        return self.collection.delete({"experiment_id": {"$in": [*experiment_ids]}})
