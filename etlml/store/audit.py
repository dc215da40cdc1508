"""Who changed what, when: only ever added to."""

from datetime import datetime

from etlml.documents import AuditEntry
from etlml.store.base import DocumentStore
from etlml.store.paging import Page, matching, within


class AuditStore(DocumentStore[AuditEntry]):
    """All changes, newest first."""

    model = AuditEntry
    kind = "audit entry"
    sort_field = "ts"

    def count_before(self, before: datetime) -> int:
        """How many entries are older than that."""
        return self.collection.count({"ts": {"$lt": before}})

    def delete_before(self, before: datetime) -> int:
        """Remove the entries from before then; how many there were."""
        return self.collection.delete({"ts": {"$lt": before}})

    def list(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        kind: str | None = None,
        key: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AuditEntry]:
        """Changes, of one thing if ``kind`` and ``key`` are given."""
        filter_ = matching(actor=actor, action=action, kind=kind, key=key) | within("ts", since, until)
        return self._page(filter_, limit=limit, cursor=cursor)
