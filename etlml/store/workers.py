"""The processes that claim runs, as their heartbeats tell."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from etlml.documents import Worker
from etlml.store.base import DocumentStore
from etlml.store.collection import RELAXED
from etlml.store.encoding import decoded, encoded

ALIVE_S = 15.0  # a heartbeat is due every few seconds; this forgives a slow machine


class WorkerStore(DocumentStore[Worker]):
    """Workers by id. A heartbeat is not waited for on the disk."""

    model = Worker
    kind = "worker"
    sort_field = "started_at"
    write_concern = RELAXED

    def beat(self, worker: Worker) -> None:
        """Say that the worker lives, and what it does."""
        fields = {name: value for name, value in encoded(worker).items() if name != "_id"}
        self.collection.update({"_id": worker.id}, {"$set": fields}, upsert=True)

    def list_alive(self, now: datetime, *, within_s: float = ALIVE_S) -> Sequence[Worker]:
        """Workers with a fresh heartbeat, the oldest of them first."""
        fresh = {"heartbeat_at": {"$gte": now - timedelta(seconds=within_s)}}
        return [decoded(Worker, each) for each in self.collection.find(fresh, sort=[("started_at", 1), ("_id", 1)])]

    def list_on(self, host: str) -> Sequence[Worker]:
        """All workers of one machine, also those that have gone silent."""
        return [decoded(Worker, each) for each in self.collection.find({"host": host})]

    def remove(self, worker_id: str) -> None:
        """Forget a worker that stops."""
        self.collection.delete({"_id": worker_id})

    def delete_before(self, before: datetime) -> int:
        """Forget workers that were last heard of before then; how many there were."""
        return self.collection.delete({"heartbeat_at": {"$lt": before}})
