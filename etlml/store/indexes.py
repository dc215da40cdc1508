"""The indexes that make every hot query a short walk, and the unique ones that settle races."""

from dataclasses import dataclass
from typing import Any, Literal

from pymongo import ASCENDING as UP
from pymongo import DESCENDING as DOWN
from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import OperationFailure

from etlml.store.encoding import Document
from etlml.store.logs import DEFAULT_DAYS, TTL_INDEX

_SET = {"$gt": ""}  # not null: a partial index on it serves queries for one value
_FIGURES = ("created_at", "status", "pipeline_id", "trigger", "pipeline_name", "duration_s")
_CLASH = {85, 86}  # an index of that name exists with other options or keys


def _index(name: str, *keys: tuple[str, int], **options: Any) -> IndexModel:
    return IndexModel(list(keys), name=name, **options)


def _newest(*fields: str, by: str = "created_at", **options: Any) -> IndexModel:
    """For lists filtered by some fields, newest first, with the id as the tie-breaker of the cursor."""
    keys = [(field, UP) for field in fields]
    return _index("_".join([*fields, "newest"]), *keys, (by, DOWN), ("_id", DOWN), **options)


def _unique(name: str, *fields: str, **options: Any) -> IndexModel:
    return _index(name, *[(field, UP) for field in fields], unique=True, **options)


INDEXES: dict[str, list[IndexModel]] = {
    "pipelines": [
        _unique("name", "name"),
        _newest(),
        _index("webhook", ("triggers.token_hash", UP), sparse=True),
        _index("schedule", ("schedule", UP), sparse=True),
    ],
    "pipeline_versions": [_unique("version", "pipeline_id", "version")],
    "pipeline_runs": [
        _newest(),
        _newest("pipeline_id"),
        _newest("status"),
        _newest("pipeline_id", "status"),
        _index("longest", ("duration_s", DOWN), ("_id", DOWN)),
        _index("days", *((name, UP) for name in _FIGURES)),  # counting reads no runs
        _index(
            "queue",
            *(("priority", DOWN), ("created_at", UP), ("_id", UP), ("not_before", UP), ("pipeline_id", UP)),
            partialFilterExpression={"status": "pending"},
        ),
        _unique("slot", "pipeline_id", "slot", partialFilterExpression={"status": "running"}),
        _index("ended", ("finished_at", UP)),
        _index("lease", ("lease_until", UP), partialFilterExpression={"status": "running"}),
        _unique("fire", "pipeline_id", "scheduled_for", partialFilterExpression={"trigger": "schedule"}),
        _unique("interval", "backfill_id", "scheduled_for", partialFilterExpression={"trigger": "backfill"}),
        _newest("backfill_id", partialFilterExpression={"backfill_id": _SET}),
        _newest("retry_of", partialFilterExpression={"retry_of": _SET}),
    ],
    "schedules": [],
    "backfills": [_newest(), _newest("pipeline_id"), _newest("status")],
    "checkpoints": [_index("least_used", ("last_used_at", UP), ("_id", UP)), _index("run", ("run_id", UP))],
    "experiments": [
        _newest(),
        _newest("project"),
        _newest("status"),
        _newest("pipeline_id"),
        _index("run", ("run_id", UP)),
        _index("metrics", ("metrics.$**", UP)),
    ],
    "metric_points": [_index("series", ("experiment_id", UP), ("key", UP), ("step", UP), ("ts", UP))],
    "models": [
        _unique("version", "name", "version"),
        _index("number", ("name", UP), ("number", DOWN)),
        _unique("alias", "name", "aliases", partialFilterExpression={"aliases.0": {"$exists": True}}),
        _newest(),
        _unique("experiment", "experiment_id", "name", partialFilterExpression={"experiment_id": {"$type": "string"}}),
    ],
    "data_validations": [_newest(), _newest("pipeline_id"), _newest("run_id"), _newest("status")],
    "logs": [
        _index(TTL_INDEX, ("ts", UP), expireAfterSeconds=DEFAULT_DAYS * 86400),
        _index("run", ("run_id", UP), ("_id", UP), partialFilterExpression={"run_id": {"$exists": True}}),
        _index(
            "pipeline",
            *(
                ("pipeline_id", UP),
                ("_id", UP),
                ("level", UP),
                ("ts", UP),
            ),  # the last two so that counting reads no lines
            partialFilterExpression={"pipeline_id": {"$exists": True}},
        ),
        _index("group", ("group", UP), ("_id", UP), partialFilterExpression={"group": {"$exists": True}}),
        _index("level", ("level", UP), ("_id", UP)),
        _index("source", ("source", UP), ("_id", UP)),
    ],
    "log_minutes": [_index(TTL_INDEX, ("at", UP), expireAfterSeconds=DEFAULT_DAYS * 86400)],
    "log_hours": [_index(TTL_INDEX, ("at", UP), expireAfterSeconds=DEFAULT_DAYS * 86400)],
    "log_groups": [_index(TTL_INDEX, ("at", UP), expireAfterSeconds=DEFAULT_DAYS * 86400)],
    "connections": [_unique("name", "name"), _newest()],
    "notification_channels": [_unique("name", "name"), _newest()],
    "notices": [
        _newest("channel_id"),
        _index("waiting", ("channel_id", UP), partialFilterExpression={"status": "waiting"}),
        _index("batch", ("batch", UP), ("created_at", UP)),
        _index("expires", ("created_at", UP), expireAfterSeconds=30 * 86400),
    ],
    "users": [_unique("name", "name"), _newest()],
    "api_keys": [_unique("key_hash", "key_hash"), _newest()],
    "sessions": [_index("expires", ("expires_at", UP), expireAfterSeconds=0), _index("user", ("user", UP))],
    "idempotency_keys": [_index("expires", ("created_at", UP), expireAfterSeconds=86400)],
    "audit": [_newest(by="ts"), _newest("kind", "key", by="ts"), _newest("actor", by="ts")],
    "settings": [],
    "webhook_calls": [],
    "workers": [_index("expires", ("heartbeat_at", UP), expireAfterSeconds=86400)],
}


def ensure_indexes(database: Database[Document]) -> None:
    """Create what is missing; quick when all is there. Safe to call from many processes at once."""
    for name, indexes in INDEXES.items():
        if indexes:
            _ensure(database, name, indexes)


def _ensure(database: Database[Document], name: str, indexes: list[IndexModel]) -> None:
    try:
        if _is_real(database):
            database[name].create_indexes(indexes)
        else:  # mongomock's create_indexes drops partialFilterExpression
            for index in indexes:
                _create(database, name, index)
    except OperationFailure as error:
        if error.code not in _CLASH:
            raise
        for index in indexes:
            _replace(database, name, index)


def _replace(database: Database[Document], name: str, index: IndexModel) -> None:
    """Create one index anew if a former version of it is there; the log's retention, which people set, stays."""
    try:
        database[name].create_indexes([index])
    except OperationFailure as error:
        if error.code not in _CLASH:
            raise
        if index.document["name"] != TTL_INDEX or name not in ("logs", "log_minutes", "log_hours", "log_groups"):
            database[name].drop_index(index.document["name"])
            database[name].create_indexes([index])


def _is_real(database: object) -> bool:
    return isinstance(database, Database)


def _create(database: Any, name: str, index: IndexModel) -> None:
    options = dict(index.document)
    database[name].create_index(list(options.pop("key").items()), **options)


def missing_indexes(database: Database[Document]) -> list[str]:
    """Names of indexes that should be there and are not, as ``collection.index``: for doctor."""
    missing: list[str] = []
    for name, indexes in INDEXES.items():
        present = set(database[name].index_information())
        missing += [f"{name}.{index.document['name']}" for index in indexes if index.document["name"] not in present]
    return missing


@dataclass(frozen=True)
class IndexFact:
    """One index: whether it should be there, and is."""

    collection: str
    name: str
    state: Literal["present", "missing", "extra"]
    bytes: int = 0


def index_facts(database: Database[Document]) -> list[IndexFact]:
    """Every index that is there or should be, by collection; those that hold ids alone are left out."""
    found: list[IndexFact] = []
    for name, indexes in INDEXES.items():
        expected = {index.document["name"] for index in indexes}
        present = set(database[name].index_information()) - {"_id_"}
        sizes = _index_sizes(database, name) if present else {}
        found += [
            IndexFact(
                name,
                index,
                "missing" if index not in present else "present" if index in expected else "extra",
                sizes.get(index, 0),
            )
            for index in sorted(expected | present)
        ]
    return found


def _index_sizes(database: Database[Document], name: str) -> dict[str, int]:
    if not _is_real(database):
        return {}
    return {index: int(size) for index, size in database.command("collStats", name)["indexSizes"].items()}
