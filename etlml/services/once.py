"""Requests that may arrive twice: the second one gets what the first one created."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from etlml.clock import new_id
from etlml.errors import Conflict, EtlmlError, InvalidInput, NotFound
from etlml.store import Store

T = TypeVar("T")
LONGEST_KEY = 255


class OnceService:
    """Creates a document at most once for each key; keys are forgotten after a day."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self, key: str, fingerprint: str, *, get: Callable[[str], T], create: Callable[[str], T]
    ) -> tuple[T, bool]:
        """The document that the first request with this key created, and whether that was an earlier one.

        The id is chosen before the document is made, so that a request that died half way is completed by its repetition.

        Args:
            key: The client's key, with whatever keeps clients apart.
            fingerprint: A digest of the request.
            get: Gives the document of an id; NotFound if there is none.
            create: Makes the document with an id.

        Raises:
            Conflict: The key was used for another request.
        """
        digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()
        fresh = new_id()
        document_id = self._store.idempotency.reserve(digest, fresh, fingerprint=fingerprint)
        if document_id != fresh and (found := _found(get, document_id)) is not None:
            return found, True
        try:
            return create(document_id), False
        except Conflict:  # a request with the same key may have been faster
            if (found := _found(get, document_id)) is not None:
                return found, True
            self._store.idempotency.forget(digest)
            raise
        except EtlmlError:
            self._store.idempotency.forget(digest)
            raise


def checked_key(key: str) -> str:
    """The key itself; InvalidInput if it cannot be one."""
    if not key.strip() or len(key) > LONGEST_KEY:
        raise InvalidInput(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.", field="Idempotency-Key")
    return key


def _found(get: Callable[[str], T], document_id: str) -> T | None:
    try:
        return get(document_id)
    except NotFound:
        return None
