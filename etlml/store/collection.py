"""One collection as the stores use it: few operations, our errors, the running transaction's session."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pymongo import ReturnDocument, UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as RawCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from etlml.errors import Conflict, EtlmlError
from etlml.store.answering import asked
from etlml.store.encoding import Document
from etlml.store.faults import translated

Filter = Mapping[str, Any]
Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Sort = Sequence[tuple[str, int]]

DUPLICATE_KEY = 11000
MAJORITY = WriteConcern(w="majority", j=True)
RELAXED = WriteConcern(w=1)  # for what may be lost with a power cut: log lines, heartbeats

current_session: ContextVar[ClientSession | None] = ContextVar("current_session", default=None)


def _is_real(raw: object) -> bool:
    return isinstance(raw, RawCollection)


class Collection:
    """A MongoDB collection (or mongomock's). Safe to use from many threads; what it returns are copies.

    Args:
        raw: The driver's collection.
        write_concern: Majority and journal unless the documents may be lost with a power cut.
    """

    def __init__(self, raw: RawCollection[Document], *, write_concern: WriteConcern = MAJORITY) -> None:
        self.raw = raw.with_options(write_concern=write_concern)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Around every operation: our errors, and no second wait for a MongoDB that does not answer (see ``answering``)."""
        in_transaction = current_session.get() is not None
        with translated(in_transaction=in_transaction), asked(self.raw.database.client):
            yield

    def insert(self, document: Document, *, taken: EtlmlError | None = None) -> None:
        """Store a new document; raises ``taken`` if a unique index refuses it."""
        with self.asked():
            try:
                self.raw.insert_one(document, session=current_session.get())
            except DuplicateKeyError:
                name = f"{self.raw.name} {document.get('_id')!r}"
                raise (taken or Conflict(f"{name} is already stored.")) from None

    def insert_many(self, documents: Sequence[Document]) -> None:
        """Store new documents in one round trip; those whose id is stored already are left as they are."""
        if not documents:
            return
        with self.asked():
            try:
                self.raw.insert_many(documents, ordered=False, session=current_session.get())
            except BulkWriteError as error:
                if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                    raise

    def find_one(
        self, filter_: Filter, *, projection: Filter | None = None, sort: Sort | None = None
    ) -> Document | None:
        """The first match."""
        with self.asked():
            return self.raw.find_one(filter_, projection, sort=sort, session=current_session.get())

    def find(
        self,
        filter_: Filter,
        *,
        sort: Sort | None = None,
        limit: int = 0,
        skip: int = 0,
        projection: Filter | None = None,
        max_ms: int | None = None,
        index: str | None = None,
    ) -> list[Document]:
        """All matches, at most ``limit`` (0: no limit), by that index; InvalidInput if it takes longer than ``max_ms``."""
        with self.asked():
            session = current_session.get()
            cursor = self.raw.find(filter_, projection, sort=sort, skip=skip, limit=limit, session=session)
            if max_ms is not None:
                cursor = cursor.max_time_ms(max_ms)
            if index is not None:
                cursor = cursor.hint(index)
            return list(cursor)

    def change(
        self,
        filter_: Filter,
        update: Update,
        *,
        sort: Sort | None = None,
        upsert: bool = False,
        projection: Filter | None = None,
    ) -> Document | None:
        """Find one match and change it in one atomic step; the changed document, or None without a match.

        Raises:
            DuplicateKeyError: A unique index refuses the change; nothing was changed.
        """
        with self.asked():
            return self.raw.find_one_and_update(
                filter_,
                update,
                projection=projection,
                sort=sort,
                upsert=upsert,
                return_document=ReturnDocument.AFTER,
                session=current_session.get(),
            )

    def update(self, filter_: Filter, update: Update, *, upsert: bool = False) -> bool:
        """Change one match; whether there was one. Raises DuplicateKeyError like ``change``."""
        with self.asked():
            done = self.raw.update_one(filter_, update, upsert=upsert, session=current_session.get())
            return done.matched_count > 0

    def upsert_each(self, changes: Mapping[str, Update]) -> None:
        """Change many documents by id in one round trip; those that are missing are made."""
        with self.asked():
            if _is_real(self.raw):
                if changes:
                    self.raw.bulk_write(
                        [UpdateOne({"_id": key}, change, upsert=True) for key, change in changes.items()]
                    )
                return
            for key, change in changes.items():  # mongomock's bulk writes cannot be used by this version of the driver
                self.raw.update_one({"_id": key}, change, upsert=True)

    def replace(self, filter_: Filter, document: Document, *, upsert: bool = False) -> bool:
        """Put a whole document in the place of one match; whether there was one. Raises DuplicateKeyError like ``change``."""
        with self.asked():
            done = self.raw.replace_one(filter_, document, upsert=upsert, session=current_session.get())
            return done.matched_count > 0

    def update_many(self, filter_: Filter, update: Update) -> int:
        """Change all matches; how many there were."""
        with self.asked():
            return int(self.raw.update_many(filter_, update, session=current_session.get()).matched_count)

    def delete(self, filter_: Filter) -> int:
        """Remove all matches; how many there were."""
        with self.asked():
            return int(self.raw.delete_many(filter_, session=current_session.get()).deleted_count)

    def count(self, filter_: Filter) -> int:
        """How many match."""
        with self.asked():
            return int(self.raw.count_documents(filter_, session=current_session.get()))

    def each(self, filter_: Filter, *, sort: Sort, batch: int = 1000) -> Iterator[Document]:
        """All matches, one after the other, however many there are; close the iterator when done before its end."""
        with self.asked(), self.raw.find(filter_, sort=sort, batch_size=batch) as cursor:
            yield from cursor

    def aggregate(self, pipeline: Sequence[Mapping[str, Any]], *, max_ms: int | None = None) -> list[Document]:
        """The result of an aggregation; InvalidInput if it takes longer than ``max_ms``."""
        limits: dict[str, Any] = {} if max_ms is None else {"maxTimeMS": max_ms}
        with self.asked():
            return list(self.raw.aggregate(list(pipeline), session=current_session.get(), **limits))
