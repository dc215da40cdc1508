"""Idempotency keys: a request that is sent again creates nothing again."""

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from etlml.clock import utc_now
from etlml.errors import Conflict
from etlml.store.collection import Collection
from etlml.store.encoding import Document


class IdempotencyStore:
    """Which document a key created; MongoDB removes keys after a day."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database["idempotency_keys"])

    def reserve(self, key: str, response_id: str, *, fingerprint: str = "") -> str:
        """Tie a key to the id of the document about to be created.

        Args:
            key: The client's key, with whatever else keeps clients apart.
            response_id: The id that the document will have if this key is new.
            fingerprint: Hash of the request.

        Returns:
            The id to which the key is tied: ``response_id``, or that of an earlier request. Its document may be missing
            if that request died half way; then create it under this id.

        Raises:
            Conflict: The key was used for a request with another fingerprint.
        """
        fields = {"id": key, "response_id": response_id, "fingerprint": fingerprint, "created_at": utc_now()}
        try:
            found = self.collection.change({"_id": key}, {"$setOnInsert": fields}, upsert=True)
        except DuplicateKeyError:  # two upserts at once: the other one won
            found = self.collection.find_one({"_id": key})
        stored = found or fields
        if stored["fingerprint"] != fingerprint:
            raise Conflict("This Idempotency-Key was used for another request. Use a fresh one for each request.")
        return str(stored["response_id"])

    def forget(self, key: str) -> None:
        """Free a key whose request was refused."""
        self.collection.delete({"_id": key})
