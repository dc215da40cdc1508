"""Who may come in: people, keys for programs, signed-in sessions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.database import Database

from etlml.clock import utc_now
from etlml.documents import ApiKey, User
from etlml.errors import NotFound
from etlml.store.base import DocumentStore, NamedStore
from etlml.store.collection import Collection
from etlml.store.encoding import Document, decoded, storable
from etlml.store.paging import Page


class UserStore(NamedStore[User]):
    """People by id or unique name."""

    model = User
    kind = "user"


class ApiKeyStore(DocumentStore[ApiKey]):
    """Keys for programs, found by their hash."""

    model = ApiKey
    kind = "API key"

    def by_hash(self, key_hash: str) -> ApiKey:
        """The key with that SHA-256; NotFound if there is none. Whether it has expired is for the caller to judge."""
        found = self.collection.find_one({"key_hash": key_hash})
        if found is None:
            raise NotFound(self.kind, "with that secret")
        return decoded(ApiKey, found)

    def touch(self, key_id: str, now: datetime) -> None:
        """Remember that the key was used."""
        self.collection.update({"_id": key_id}, {"$set": {"last_used_at": now}})

    def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[ApiKey]:
        """All keys, newest first."""
        return self._page({}, limit=limit, cursor=cursor)


class SessionStore:
    """Signed-in sessions by the hash of their token; MongoDB removes them when they expire."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database["sessions"])

    def put(self, token_hash: str, user: str, expires_at: datetime, data: Mapping[str, Any] | None = None) -> None:
        """Store a session, or prolong it."""
        fields = {"id": token_hash, "user": user, "expires_at": expires_at, "data": storable(data or {})}
        self.collection.update({"_id": token_hash}, {"$set": fields}, upsert=True)

    def get(self, token_hash: str, now: datetime | None = None) -> dict[str, Any] | None:
        """{"user", "expires_at", "data"} of a session that has not expired; else None."""
        found = self.collection.find_one({"_id": token_hash, "expires_at": {"$gt": now or utc_now()}})
        return {name: found[name] for name in ("user", "expires_at", "data")} if found else None

    def delete(self, token_hash: str) -> None:
        """Sign out."""
        self.collection.delete({"_id": token_hash})

    def delete_of(self, user: str) -> int:
        """Sign a user out everywhere; how many sessions that ended."""
        return self.collection.delete({"user": user})
