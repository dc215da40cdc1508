"""The database as admins look after it: what server it is, how large, with which indexes."""

from collections.abc import Mapping, Sequence

from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME
from etlml.store import Store
from etlml.store.client import ServerFacts
from etlml.store.indexes import IndexFact

__all__ = ["DatabaseService", "IndexFact", "ServerFacts"]


class DatabaseService:
    """Looks at MongoDB, and mends its indexes."""

    def __init__(self, store: Store, audit: AuditService) -> None:
        self._store = store
        self._audit = audit

    def facts(self) -> ServerFacts:
        """What server this is; Unavailable if it does not answer."""
        return self._store.facts()

    def sizes(self) -> Mapping[str, Mapping[str, int]]:
        """Each collection's documents, bytes and index_bytes."""
        return self._store.sizes()

    def indexes(self) -> Sequence[IndexFact]:
        """Every index that is there or should be."""
        return self._store.indexes()

    def create_indexes(self, *, author: str = LOCAL_NAME) -> Sequence[IndexFact]:
        """Create the indexes that are missing, while everything goes on; all indexes afterwards."""
        missing = [fact for fact in self._store.indexes() if fact.state == "missing"]
        self._store.create_indexes()
        self._audit.record(
            author, "created", "indexes", "mongodb", indexes=[f"{fact.collection}.{fact.name}" for fact in missing]
        )
        return self.indexes()
