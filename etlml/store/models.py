"""The model registry: names, versions counted upwards, aliases that move."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from etlml.documents import Model, ModelStatus
from etlml.errors import Conflict, InvalidInput, NotFound, did_you_mean
from etlml.store.base import DocumentStore
from etlml.store.encoding import Document, decoded, encoded, storable
from etlml.store.paging import QUERY_MS, Page, bounded, contains, matching

R = TypeVar("R")
Transact = Callable[[Callable[[], R]], R]

LATEST = "latest"
_MINORS = 1_000_000
_TRIES = 100


def version_number(version: str) -> int:
    """``v1.10`` as a number that sorts after ``v1.9``'s."""
    major, minor = version.removeprefix("v").split(".")
    return int(major) * _MINORS + int(minor)


def next_version(version: str | None) -> str:
    """v1.0, then v1.1, v1.2, ..."""
    if version is None:
        return "v1.0"
    major, minor = version.removeprefix("v").split(".")
    return f"v{major}.{int(minor) + 1}"


class RegistryEntry(NamedTuple):
    """A model's newest version, how many versions there are, and the newest that is deployed."""

    newest: Model
    versions: int
    deployed: str | None


class ModelStore(DocumentStore[Model]):
    """Registered models: each name has versions, each version one file.

    Args:
        database: Where they are kept.
        transact: Runs a function so that all of its writes happen or none.
    """

    model = Model
    kind = "model"

    def __init__(self, database: Database[Document], transact: Transact[Any]) -> None:
        super().__init__(database)
        self._transact = transact

    def register(self, name: str, *, algorithm: str, file_path: str | Callable[[str], str], **fields: Any) -> Model:
        """Store the next version of a model: v1.0, v1.1, ...; no two callers get the same.

        One experiment gives one version of a name: registered again, it is the version that it was.

        Args:
            name: The model's name.
            algorithm: Name of the scikit-learn class.
            file_path: Where its file is, or a function of the version that says so.
            fields: Other fields of the document.
        """
        for _ in range(_TRIES):
            version = next_version(self._newest_version(name))
            path = file_path if isinstance(file_path, str) else file_path(version)
            model = Model(name=name, version=version, algorithm=algorithm, file_path=path, **fields)
            try:
                self.collection.insert(_with_number(model), taken=Conflict(f"Model {name!r} {version} is taken."))
            except Conflict:
                same = {"name": name, "experiment_id": model.experiment_id}
                if model.experiment_id and (found := self.collection.find_one(same)) is not None:
                    return decoded(Model, found)
                continue  # somebody registered this version in between
            return model
        raise Conflict(f"Model {name!r} gets new versions too fast. Try again.")

    def add(self, document: Model) -> Model:
        """Store a version as it is (unpacking); Conflict if the name has that version already."""
        taken = Conflict(f"Model {document.name!r} has a version {document.version} already.")
        self.collection.insert(_with_number(document), taken=taken)
        return document

    def find(self, name: str, version: str = LATEST) -> Model:
        """A version of a model.

        Args:
            name: The model's name.
            version: A version (``v1.0``), an alias, or ``latest``: the newest that is not archived, else the newest.

        Raises:
            NotFound: No model has that name, or none of its versions is that.
        """
        filter_: dict[str, Any] = {"name": name}
        if version == LATEST:
            filter_["status"] = {"$ne": "archived"}
        else:
            filter_["$or"] = [{"version": version}, {"aliases": version}]
        newest = [("number", -1)]
        found = self.collection.find_one(filter_, sort=newest)
        if found is None and version == LATEST:
            found = self.collection.find_one({"name": name}, sort=newest)
        if found is None:
            raise self._missing(name, version)
        return decoded(Model, found)

    def versions(self, name: str) -> Sequence[Model]:
        """All versions of a model, newest first; NotFound if no model has that name."""
        found = self.collection.find({"name": name}, sort=[("number", -1)])
        if not found:
            raise NotFound(self.kind, name, self.names())
        return [decoded(Model, each) for each in found]

    def names(self) -> Sequence[str]:
        """The names of all models, sorted."""
        groups = self.collection.aggregate([{"$sort": {"name": 1}}, {"$group": {"_id": "$name"}}])
        return sorted(each["_id"] for each in groups)

    def list(
        self,
        *,
        name: str | None = None,
        status: str | None = None,
        experiment_id: str | None = None,
        q: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Model]:
        """Versions of all models, newest first; ``q`` is looked for in name, algorithm and description."""
        filter_ = matching(name=name, status=status, experiment_id=experiment_id)
        if q:
            filter_["$or"] = [{field: contains(q)} for field in ("name", "algorithm", "description")]
        return self._page(filter_, limit=limit, cursor=cursor)

    def registry(self, *, q: str | None = None, after: str | None = None, limit: int = 50) -> Sequence[RegistryEntry]:
        """The models by name, each with its newest version; ``q`` is looked for in the name.

        Args:
            after: Only names that sort after this one: the way to the next page.
        """
        filter_: dict[str, Any] = {"name": {"$gt": after}} if after else {}
        if q:
            filter_ = {"$and": [filter_, {"name": contains(q)}]}
        names = self.collection.aggregate(
            [
                {"$match": filter_},
                {"$sort": {"name": 1, "number": -1}},
                {"$group": {"_id": "$name", "newest": {"$first": "$_id"}, "versions": {"$sum": 1}}},
                {"$sort": {"_id": 1}},
                {"$limit": bounded(limit)},
            ],
            max_ms=QUERY_MS,
        )
        newest = self.get_many([each["newest"] for each in names])
        in_use = {"name": {"$in": [each["_id"] for each in names]}, "status": "deployed"}
        sort = [("name", -1), ("number", 1)]  # so the newest deployed version of a name comes last and stays
        shown = {"name": 1, "version": 1}
        deployed = {
            each["name"]: str(each["version"]) for each in self.collection.find(in_use, sort=sort, projection=shown)
        }
        return [
            RegistryEntry(newest[each["newest"]], each["versions"], deployed.get(each["_id"]))
            for each in names
            if each["newest"] in newest
        ]

    def set_status(self, name: str, version: str, status: ModelStatus) -> Model:
        """Change the status of one version; NotFound if there is none such."""
        return self.change_version(name, version, {"status": status})

    def change_version(self, name: str, version: str, changes: dict[str, Any]) -> Model:
        """Set some fields (status, description, ...) of one version; NotFound if there is none such."""
        found = self.collection.change({"name": name, "version": version}, {"$set": storable(changes)})
        if found is None:
            raise self._missing(name, version)
        return decoded(Model, found)

    def set_aliases(self, name: str, version: str, aliases: Sequence[str]) -> Model:
        """Give a version exactly these aliases; one that another version had moves here.

        Raises:
            NotFound: There is no such version.
            InvalidInput: An alias looks like a version, or is ``latest``.
            Conflict: Somebody else moved the alias at the same moment.
        """
        wanted = sorted(set(aliases))
        for alias in wanted:
            if alias == LATEST or (alias[:1] == "v" and alias[1:].replace(".", "").isdigit()) or not alias:
                raise InvalidInput(f"{alias!r} cannot be an alias: it already has a meaning.", field="aliases")

        def work() -> Model:
            others = {"name": name, "version": {"$ne": version}, "aliases": {"$in": wanted}}
            self.collection.update_many(others, {"$pull": {"aliases": {"$in": wanted}}})
            return self.change_version(name, version, {"aliases": wanted})

        try:
            result: Model = self._transact(work)
        except DuplicateKeyError:
            raise Conflict(f"An alias of {name!r} was moved by somebody else. Try again.") from None
        return result

    def counts_by_status(self) -> dict[str, int]:
        """How many versions there are in each status."""
        groups = self.collection.aggregate([{"$group": {"_id": "$status", "n": {"$sum": 1}}}])
        return {each["_id"]: each["n"] for each in groups}

    def _newest_version(self, name: str) -> str | None:
        found = self.collection.find_one({"name": name}, sort=[("number", -1)], projection={"version": 1})
        return str(found["version"]) if found else None

    def _missing(self, name: str, version: str) -> NotFound:
        found = self.collection.find({"name": name}, sort=[("number", -1)], projection={"version": 1, "aliases": 1})
        if not found:
            return NotFound(self.kind, name, self.names())
        known = [each["version"] for each in found] + [alias for each in found for alias in each.get("aliases", [])]
        missing = NotFound("version", version, known)
        missing.message = f"Model {name!r} has no version or alias {version!r}. {did_you_mean(version, known)}"
        missing.args = (missing.message,)
        return missing


def _with_number(model: Model) -> Document:
    return encoded(model) | {"number": version_number(model.version)}
