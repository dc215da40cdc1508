"""Pipelines and their versions: every saved change leaves an immutable copy."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from etlml.clock import utc_now
from etlml.documents import Pipeline, PipelineDraft, PipelineStatus, PipelineVersion, Run
from etlml.errors import NameTaken, NotFound, VersionConflict
from etlml.store.base import DocumentStore, NamedStore
from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document, decoded, encoded, storable
from etlml.store.paging import QUERY_MS, Page, bounded, contains, decode_offset, encode_offset, matching

R = TypeVar("R")
Transact = Callable[[Callable[[], R]], R]

Sort = Literal["newest", "name", "last_run", "runs"]
Order = Sequence[tuple[str, int]]
_ORDERS: dict[str, Order] = {
    "name": [("name", 1)],
    "last_run": [("last_run", -1), ("_id", -1)],
    "runs": [("run_count", -1), ("_id", -1)],
}
_STATUS_AFTER: dict[str, PipelineStatus] = {
    "running": "running",
    "success": "success",
    "failed": "failed",
    "pending": "pending",
}


class VersionStore(DocumentStore[PipelineVersion]):
    """The immutable copies, one a saved change."""

    model = PipelineVersion
    kind = "pipeline version"

    def of(self, pipeline_id: str, version: int) -> PipelineVersion:
        """That version of that pipeline; NotFound if it was never saved."""
        found = self.collection.find_one({"pipeline_id": pipeline_id, "version": version})
        if found is None:
            raise NotFound(self.kind, f"{pipeline_id} v{version}")
        return decoded(self.model, found)

    def all_of(self, pipeline_id: str) -> Sequence[PipelineVersion]:
        """All versions of a pipeline, newest first."""
        found = self.collection.find({"pipeline_id": pipeline_id}, sort=[("version", -1)])
        return [decoded(self.model, each) for each in found]


class PipelineStore(NamedStore[Pipeline]):
    """Pipelines by id or unique name.

    Args:
        database: Where they are kept.
        versions: Where their copies are kept.
        transact: Runs a function so that all of its writes happen or none.
    """

    model = Pipeline
    kind = "pipeline"

    def __init__(self, database: Database[Document], versions: VersionStore, transact: Transact[Any]) -> None:
        super().__init__(database)
        self._versions = versions
        self._transact = transact
        self._display = Collection(database[self.model.collection], write_concern=RELAXED)

    def add(self, document: Pipeline, author: str = "") -> Pipeline:
        """Store a new pipeline as its version 1; NameTaken if the name is another's."""
        pipeline = document.model_copy(update={"version": 1})

        def work() -> None:
            self.collection.insert(encoded(pipeline), taken=NameTaken(self.kind, pipeline.name))
            self._versions.add(_copy(pipeline, author, pipeline.created_at))

        self._transact(work)
        return pipeline

    def list(
        self,
        *,
        q: str | None = None,
        tag: str | None = None,
        status: str | None = None,
        sort: Sort = "newest",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Pipeline]:
        """Pipelines, newest first unless another order is asked for; ``q`` is looked for in name, description and tags."""
        filter_ = matching(tags=tag, status=status)
        if q:
            filter_["$or"] = [{field: contains(q)} for field in ("name", "description", "tags")]
        if sort == "newest":
            return self._page(filter_, limit=limit, cursor=cursor)
        return self._sorted(filter_, _ORDERS[sort], bounded(limit), cursor)

    def _sorted(self, filter_: dict[str, Any], order: Order, limit: int, cursor: str | None) -> Page[Pipeline]:
        """A page in another order than by time: there are few pipelines, so its cursor counts."""
        skip = decode_offset(cursor) if cursor else 0
        found = self.collection.find(filter_, sort=order, skip=skip, limit=limit + 1, max_ms=QUERY_MS)
        following = encode_offset(skip + limit) if len(found) > limit else None
        return Page([decoded(self.model, each) for each in found[:limit]], following)

    def tags(self) -> Sequence[str]:
        """Every tag in use, sorted."""
        stages: list[Any] = [{"$unwind": "$tags"}, {"$group": {"_id": "$tags"}}, {"$sort": {"_id": 1}}]
        return [str(each["_id"]) for each in self.collection.aggregate(stages, max_ms=QUERY_MS)]

    def scheduled(self) -> Sequence[Pipeline]:
        """Those with a schedule, paused ones too."""
        return [decoded(self.model, each) for each in self.collection.find({"schedule": {"$type": "string"}})]

    def with_status(self, status: PipelineStatus) -> Sequence[Pipeline]:
        """Those that show this status."""
        return [decoded(self.model, each) for each in self.collection.find({"status": status})]

    def triggered_by(self, kind: str) -> Sequence[Pipeline]:
        """Those that have a trigger of that kind (webhook, file, pipeline)."""
        return [decoded(self.model, each) for each in self.collection.find({"triggers.kind": kind})]

    def find_by_webhook(self, token_hash: str) -> Pipeline:
        """The pipeline whose webhook has that token (by its SHA-256); NotFound if none has."""
        found = self.collection.find_one({"triggers.token_hash": token_hash})
        if found is None:
            raise NotFound("webhook", token_hash[:8])
        return decoded(self.model, found)

    def save(
        self, pipeline_id: str, draft: PipelineDraft, *, expected_version: int | None = None, author: str = ""
    ) -> Pipeline:
        """Change what a person wrote, as the next version.

        Args:
            pipeline_id: Which.
            draft: Its new content, whole.
            expected_version: Refuse if this is not the stored version; None: whatever it is.
            author: Who changed it.

        Raises:
            NotFound: There is no such pipeline.
            NameTaken: The new name is another's.
            VersionConflict: Somebody else saved in between.
        """

        def work() -> Pipeline:
            filter_ = {"_id": pipeline_id} | matching(version=expected_version)
            now = utc_now()
            change = {"$set": storable(draft) | {"updated_at": now}, "$inc": {"version": 1}}
            try:
                found = self.collection.change(filter_, change)
            except DuplicateKeyError:
                raise NameTaken(self.kind, draft.name) from None
            if found is None:
                raise self._stale(pipeline_id, expected_version)
            saved = decoded(self.model, found)
            self._versions.add(_copy(saved, author, now))
            return saved

        result: Pipeline = self._transact(work)
        return result

    def _stale(self, pipeline_id: str, expected: int | None) -> VersionConflict:
        stored = self.get(pipeline_id).version  # NotFound if it is gone
        message = f"The pipeline is at version {stored} by now, not {expected}. Load it again and repeat your change."
        return VersionConflict(message, stored=stored, expected=expected)

    def delete(self, key: str) -> None:
        """Remove a pipeline with its versions; its runs stay, until retention takes them."""

        def work() -> None:
            DocumentStore.delete(self, key)
            self._versions.collection.delete({"pipeline_id": key})

        self._transact(work)

    def versions(self, pipeline_id: str) -> Sequence[PipelineVersion]:
        """All versions, newest first."""
        return self._versions.all_of(pipeline_id)

    def version(self, pipeline_id: str, number: int) -> PipelineVersion:
        """One version; NotFound if it was never saved."""
        return self._versions.of(pipeline_id, number)

    def mark_run(self, pipeline_id: str, run: Run) -> None:
        """Show a run's state on its pipeline: call it when a run starts and again when it ended.

        It is not waited for on the disk: the truth is in the runs, and the reconciler puts right what was lost.
        The newest run that started decides the status. ``run_count`` counts runs that started, a resumed one once.
        """
        status = _STATUS_AFTER.get(run.status, "idle")
        if run.status == "running":
            shown = {"status": status, "last_run": run.started_at, "last_run_id": run.id}
            count = {"$inc": {"run_count": 1}} if run.attempt <= 1 else {}
            self._display.update({"_id": pipeline_id}, {"$set": shown, **count})
        elif run.is_final:
            self._display.update({"_id": pipeline_id, "last_run_id": run.id}, {"$set": {"status": status}})
        else:  # unless a worker was faster and has started, or even ended, the run meanwhile
            not_begun = {
                "_id": pipeline_id,
                "status": {"$ne": "running"},
                "last_run": {"$not": {"$gte": run.created_at}},
            }
            self._display.update(not_begun, {"$set": {"status": status}})


def _copy(pipeline: Pipeline, author: str, now: datetime) -> PipelineVersion:
    return PipelineVersion(
        id=f"{pipeline.id}-{pipeline.version}",
        pipeline_id=pipeline.id,
        version=pipeline.version,
        document=pipeline.draft(),
        author=author,
        created_at=now,
    )
