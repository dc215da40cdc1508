"""Backfills: ranges of dates that become runs."""

from datetime import datetime
from typing import Any

from etlml.documents import Backfill
from etlml.errors import StateConflict
from etlml.store.base import DocumentStore
from etlml.store.encoding import decoded, storable
from etlml.store.paging import Page, matching


class BackfillStore(DocumentStore[Backfill]):
    """All backfills, newest first."""

    model = Backfill
    kind = "backfill"

    def list(
        self, *, pipeline_id: str | None = None, status: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Backfill]:
        """Backfills of a pipeline, in a status."""
        return self._page(matching(pipeline_id=pipeline_id, status=status), limit=limit, cursor=cursor)

    def delete_ended_before(self, before: datetime) -> int:
        """Remove those that ended before then; how many there were."""
        ended = {"status": {"$in": ["completed", "failed", "cancelled"]}, "finished_at": {"$lt": before}}
        return self.collection.delete(ended)

    def move(self, backfill_id: str, expected: set[str], status: str, **changes: Any) -> Backfill:
        """Change the status from one of those expected.

        Raises:
            NotFound: There is no such backfill.
            StateConflict: It is in another status.
        """
        filter_ = {"_id": backfill_id, "status": {"$in": sorted(expected)}}
        found = self.collection.change(filter_, {"$set": storable({"status": status, **changes})})
        if found is None:
            stored = self.get(backfill_id)
            raise StateConflict(
                f"Backfill {backfill_id!r} is {stored.status}; it cannot become {status}.", status=stored.status
            )
        return decoded(Backfill, found)
