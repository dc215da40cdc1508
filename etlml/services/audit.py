"""Who changed what, when."""

from datetime import datetime
from typing import Any

from etlml.documents import AuditEntry
from etlml.redaction import redacted_document
from etlml.store import Page, Store


class AuditService:
    """The audit log: written by every service that changes something, read by admins."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, actor: str, action: str, kind: str, key: str, **details: Any) -> None:
        """Note that ``actor`` did ``action`` (created, changed, deleted, started, ...) to the ``kind`` called ``key``."""
        self._store.audit.add(
            AuditEntry(actor=actor, action=action, kind=kind, key=key, details=redacted_document(details))
        )

    def list(
        self,
        *,
        actor: str | None = None,
        kind: str | None = None,
        key: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AuditEntry]:
        """Entries, newest first."""
        return self._store.audit.list(
            actor=actor, kind=kind, key=key, action=action, since=since, until=until, limit=limit, cursor=cursor
        )
