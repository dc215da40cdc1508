"""The index of the step cache: which result, found by what made it, lies in which file."""

from collections.abc import Sequence
from datetime import datetime

from etlml.documents import Checkpoint
from etlml.store.base import DocumentStore
from etlml.store.encoding import decoded


class CheckpointStore(DocumentStore[Checkpoint]):
    """Results of steps by their cache key."""

    model = Checkpoint
    kind = "checkpoint"

    def use(self, cache_key: str, now: datetime) -> Checkpoint | None:
        """The result with that key, which counts as used now; None if there is none."""
        found = self.collection.change({"_id": cache_key}, {"$max": {"last_used_at": now}})
        return decoded(Checkpoint, found) if found else None

    def use_many(self, cache_keys: Sequence[str], now: datetime) -> dict[str, Checkpoint]:
        """Those of the results that there are, by key; they count as used now."""
        found = self.get_many(cache_keys)
        if found:
            self.collection.update_many({"_id": {"$in": [*found]}}, {"$max": {"last_used_at": now}})
        return found

    def total_bytes(self) -> int:
        """The size of all results together."""
        groups = self.collection.aggregate([{"$group": {"_id": None, "bytes": {"$sum": "$bytes"}}}])
        return int(groups[0]["bytes"]) if groups else 0

    def least_used(self, *, limit: int = 100) -> Sequence[Checkpoint]:
        """Those that were not used for longest, first."""
        found = self.collection.find({}, sort=[("last_used_at", 1), ("_id", 1)], limit=limit)
        return [decoded(Checkpoint, each) for each in found]

    def of_runs(self, run_ids: Sequence[str]) -> Sequence[Checkpoint]:
        """Those whose files lie in the folders of these runs."""
        return [decoded(Checkpoint, each) for each in self.collection.find({"run_id": {"$in": [*run_ids]}})]

    def delete_many(self, cache_keys: Sequence[str]) -> int:
        """Forget results; how many there were."""
        return self.collection.delete({"_id": {"$in": [*cache_keys]}})
