"""What people set on the settings page: one document a key."""

from collections.abc import Sequence
from typing import Any

from pymongo.database import Database

from etlml.clock import utc_now
from etlml.store.collection import Collection
from etlml.store.encoding import Document, storable


class SettingsStore:
    """Values by key. What they may be is decided above."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database["settings"])

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default`` if none is set."""
        found = self.collection.find_one({"_id": key})
        return default if found is None else found["value"]

    def some(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values of those keys that are set, in one round trip."""
        return {str(each["_id"]): each["value"] for each in self.collection.find({"_id": {"$in": [*keys]}})}

    def keys(self, *prefixes: str) -> Sequence[str]:
        """The keys that begin with one of these."""
        any_of = [{"_id": {"$gte": prefix, "$lt": prefix + "\uffff"}} for prefix in prefixes]
        return [str(each["_id"]) for each in self.collection.find({"$or": any_of}, projection={"_id": 1})]

    def set(self, key: str, value: Any) -> None:
        """Set a value."""
        fields = {"id": key, "value": storable(value), "updated_at": utc_now()}
        self.collection.update({"_id": key}, {"$set": fields}, upsert=True)

    def set_once(self, key: str, value: Any) -> Any:
        """Set a value unless there is one; the value that then stands, the same for all who try at once."""
        fields = {"id": key, "value": storable(value), "updated_at": utc_now()}
        found = self.collection.change({"_id": key}, {"$setOnInsert": fields}, upsert=True)
        return found["value"] if found else value

    def delete(self, key: str) -> None:
        """Unset a value, if it is set."""
        self.collection.delete({"_id": key})

    def all(self) -> dict[str, Any]:
        """All values by key."""
        return {str(each["_id"]): each["value"] for each in self.collection.find({}, sort=[("_id", 1)])}
