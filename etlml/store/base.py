"""What most stores share: get, list and delete; names that are unique."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from pymongo import WriteConcern
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from etlml.documents import Stored
from etlml.errors import EtlmlError, NameTaken, NotFound
from etlml.store.collection import MAJORITY, Collection, Filter
from etlml.store.encoding import Document, decoded, encoded, storable
from etlml.store.paging import Page, page

S = TypeVar("S", bound=Stored)


class DocumentStore(Generic[S]):
    """Documents of one model in one collection. Thread-safe; what it returns are copies.

    Args:
        database: MongoDB's database, or mongomock's.
    """

    model: type[S]
    kind: ClassVar[str]
    """The word for one document in messages."""
    sort_field: ClassVar[str] = "created_at"
    write_concern: ClassVar[WriteConcern] = MAJORITY

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database[self.model.collection], write_concern=self.write_concern)

    def get(self, key: str) -> S:
        """The document with that id; NotFound if there is none."""
        found = self.collection.find_one({"_id": key})
        if found is None:
            raise NotFound(self.kind, key)
        return decoded(self.model, found)

    def get_many(self, keys: Sequence[str]) -> dict[str, S]:
        """Those of the documents that exist, by id, in one round trip."""
        found = self.collection.find({"_id": {"$in": list(keys)}}) if keys else []
        return {str(each["_id"]): decoded(self.model, each) for each in found}

    def add(self, document: S) -> S:
        """Store a new document; NameTaken if its id (or name) is stored already."""
        self.collection.insert(encoded(document), taken=self._taken(document))
        return document

    def delete(self, key: str) -> None:
        """Remove the document with that id; NotFound if there is none."""
        if self.collection.delete({"_id": key}) == 0:
            raise NotFound(self.kind, key)

    def put(self, document: S) -> S:
        """Store a document, in the place of the one with its id if there is one."""
        fields = encoded(document)
        self.collection.replace({"_id": fields["_id"]}, fields, upsert=True)
        return document

    def replace(self, document: S) -> S:
        """Store a document in the place of the one with its id.

        Raises:
            NotFound: There is no such document.
            NameTaken: The new name is another's.
        """
        fields = encoded(document)
        try:
            found = self.collection.replace({"_id": fields["_id"]}, fields)
        except DuplicateKeyError:
            raise self._taken(document) from None
        if not found:
            raise NotFound(self.kind, str(fields["_id"]))
        return document

    def update(self, key: str, changes: Mapping[str, Any]) -> S:
        """Set some fields at once.

        Raises:
            NotFound: There is no such document.
            NameTaken: The new name is another's.
        """
        try:
            found = self.collection.change({"_id": key}, {"$set": storable(changes)})
        except DuplicateKeyError:
            raise NameTaken(self.kind, str(changes.get("name", key))) from None
        if found is None:
            raise NotFound(self.kind, key)
        return decoded(self.model, found)

    def count(self, filter_: Filter | None = None) -> int:
        """How many there are."""
        return self.collection.count(filter_ or {})

    def _taken(self, document: S) -> EtlmlError:
        return NameTaken(self.kind, str(getattr(document, "name", None) or getattr(document, "id", "")))

    def _page(self, filter_: Filter, *, limit: int, cursor: str | None, **options: Any) -> Page[S]:
        return page(self.collection, self.model, filter_, limit=limit, cursor=cursor, by=self.sort_field, **options)


class NamedStore(DocumentStore[S]):
    """Documents whose names are unique, so that people can call them by name or id."""

    def find(self, name_or_id: str) -> S:
        """The document with that name, else with that id.

        Raises:
            NotFound: With the nearest known name.
        """
        found = self.collection.find({"$or": [{"name": name_or_id}, {"_id": name_or_id}]}, limit=2)
        if not found:
            raise NotFound(self.kind, name_or_id, self.names())
        by_name = [each for each in found if each["name"] == name_or_id]
        return decoded(self.model, (by_name or found)[0])

    def names(self) -> Sequence[str]:
        """All names, sorted."""
        found = self.collection.find({}, projection={"_id": 0, "name": 1}, sort=[("name", 1)])
        return [str(each["name"]) for each in found]

    def ids_by_name(self) -> dict[str, str]:
        """The id behind each name, by name."""
        found = self.collection.find({}, projection={"name": 1}, sort=[("name", 1)])
        return {str(each["name"]): str(each["_id"]) for each in found}

    def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[S]:
        """The documents, newest first."""
        return self._page({}, limit=limit, cursor=cursor)
