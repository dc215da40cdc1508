"""Webhook calls that were refused: a count and the last few for each pipeline, however many there were."""

from collections.abc import Sequence

from etlml.documents import Refusal, WebhookCalls
from etlml.store.base import DocumentStore
from etlml.store.collection import RELAXED
from etlml.store.encoding import decoded, storable

KEPT = 10


class WebhookCallStore(DocumentStore[WebhookCalls]):
    """One document of bounded size a pipeline. A refusal is not waited for on the disk."""

    model = WebhookCalls
    kind = "webhook"
    sort_field = "last_refused_at"
    write_concern = RELAXED

    def refused(self, pipeline_id: str, refusal: Refusal, *, times: int = 1) -> None:
        """Count refusals, and keep the last of them."""
        change = {
            "$inc": {"refused": times},
            "$set": {"last_refused_at": refusal.ts},
            "$push": {"recent": {"$each": [storable(refusal)], "$slice": -KEPT}},
            "$setOnInsert": {"id": pipeline_id},
        }
        self.collection.update({"_id": pipeline_id}, change, upsert=True)

    def of(self, pipeline_id: str) -> WebhookCalls:
        """What was refused; nothing, where nothing was."""
        found = self.collection.find_one({"_id": pipeline_id})
        return decoded(WebhookCalls, found) if found else WebhookCalls(id=pipeline_id)

    def pipeline_ids(self) -> Sequence[str]:
        """The pipelines that refused something."""
        return [str(each["_id"]) for each in self.collection.find({}, projection={"_id": 1})]

    def forget(self, pipeline_id: str) -> None:
        """Begin anew."""
        self.collection.delete({"_id": pipeline_id})
