"""The door to MongoDB: one client a process, one store a collection."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import pymongo
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, ExecutionTimeout, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from etlml.errors import ConfigInvalid, Unavailable
from etlml.redaction import redacted, register_secrets
from etlml.store.answering import asked, check
from etlml.store.audit import AuditStore
from etlml.store.backfills import BackfillStore
from etlml.store.checkpoints import CheckpointStore
from etlml.store.collection import MAJORITY, current_session
from etlml.store.connections import ConnectionStore
from etlml.store.encoding import Document
from etlml.store.experiments import ExperimentStore, MetricPointStore
from etlml.store.faults import fault, translated
from etlml.store.idempotency import IdempotencyStore
from etlml.store.indexes import IndexFact, ensure_indexes, index_facts
from etlml.store.logs import LogStore
from etlml.store.models import ModelStore
from etlml.store.notifications import ChannelStore, NoticeStore
from etlml.store.pipelines import PipelineStore, VersionStore
from etlml.store.runs import RunStore
from etlml.store.schedules import ScheduleStore
from etlml.store.settings import SettingsStore
from etlml.store.users import ApiKeyStore, SessionStore, UserStore
from etlml.store.validations import ValidationStore
from etlml.store.webhook_calls import WebhookCallStore
from etlml.store.workers import WorkerStore

R = TypeVar("R")

TRANSACTION_S = 10.0
CLOSE_S = 1.0
_DEFAULTS: dict[str, Any] = {
    "appName": "etlml",
    "serverSelectionTimeoutMS": 4000,  # long enough to ride through a restart of the embedded server
    "connectTimeoutMS": 3000,
    "socketTimeoutMS": 60000,
    "waitQueueTimeoutMS": 10000,
    "maxPoolSize": 32,
    # A server that stands still is noticed after this and connectTimeoutMS; operations under way are then broken off.
    # Nothing else ends a long operation, so none needs a limit of its own.
    "heartbeatFrequencyMS": 2000,
}


class Store:
    """All stores of one database. Thread-safe; make one a process and share it.

    Args:
        database: MongoDB's database (its client must be ``tz_aware``), or mongomock's.
        indexes: Whether to create the indexes that are missing.
    """

    def __init__(self, database: Database[Document], *, indexes: bool = True) -> None:
        self.database = database
        if indexes:
            with translated(), asked(database.client):
                ensure_indexes(database)
        self.versions = VersionStore(database)
        self.pipelines = PipelineStore(database, self.versions, self.in_transaction)
        self.runs = RunStore(database)
        self.schedules = ScheduleStore(database)
        self.backfills = BackfillStore(database)
        self.checkpoints = CheckpointStore(database)
        self.experiments = ExperimentStore(database)
        self.metric_points = MetricPointStore(database)
        self.models = ModelStore(database, self.in_transaction)
        self.validations = ValidationStore(database)
        self.logs = LogStore(database)
        self.connections = ConnectionStore(database)
        self.channels = ChannelStore(database)
        self.notices = NoticeStore(database)
        self.users = UserStore(database)
        self.api_keys = ApiKeyStore(database)
        self.sessions = SessionStore(database)
        self.idempotency = IdempotencyStore(database)
        self.audit = AuditStore(database)
        self.settings = SettingsStore(database)
        self.workers = WorkerStore(database)
        self.webhook_calls = WebhookCallStore(database)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ping(self, *, timeout_s: float = 1.0) -> float:
        """Milliseconds of a round trip; Unavailable if MongoDB does not answer in time."""
        began = time.perf_counter()
        check(self.database.client)
        with translated(), pymongo.timeout(timeout_s):
            self.database.command("ping")
        return (time.perf_counter() - began) * 1000

    def close(self) -> None:
        """Free the connections."""
        _close(self.database.client)

    def in_transaction(self, work: Callable[[], R]) -> R:
        """Run ``work`` so that all of its writes happen or none; it may be called again if others wrote in between.

        Within another transaction it becomes a part of that one. On mongomock, which has none, it is just called.

        Raises:
            Unavailable: MongoDB is away, or too busy.
        """
        if current_session.get() is not None or not _is_real(self.database.client):
            return work()
        check(self.database.client)
        try:
            # The timeout bounds the driver's retries, which would else go on for two minutes while MongoDB is away.
            with pymongo.timeout(TRANSACTION_S), self.database.client.start_session() as session:

                def attempt(session: ClientSession) -> R:
                    with _within(session):
                        return work()

                return session.with_transaction(attempt, read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
        except DuplicateKeyError:
            raise
        except ExecutionTimeout:
            raise Unavailable(f"MongoDB did not complete this within {TRANSACTION_S:g} s. Is it running?") from None
        except PyMongoError as error:
            raise fault(error) from None

    def facts(self) -> "ServerFacts":
        """What server this is, for doctor and the system page; Unavailable if it does not answer."""
        if not _is_real(self.database.client):
            return ServerFacts("mongomock", None, False, 0, 0)
        check(self.database.client)
        with translated(), pymongo.timeout(3):
            hello = self.database.client.admin.command("hello")
            version = self.database.client.server_info()["version"]
            stats = self.database.command("dbStats")
        name = hello.get("setName")
        return ServerFacts(
            version, name, name is not None, int(stats["objects"]), int(stats["storageSize"] + stats["indexSize"])
        )

    def connection_counts(self) -> dict[str, int]:
        """The server's open and free connections, {"current", "available"}; empty where they cannot be told."""
        if not _is_real(self.database.client):
            return {}
        check(self.database.client)
        try:
            with pymongo.timeout(3):
                found = self.database.client.admin.command("serverStatus")["connections"]
        except OperationFailure:  # the user may not ask
            return {}
        except PyMongoError as error:
            raise fault(error) from None
        return {name: int(found[name]) for name in ("current", "available")}

    def indexes(self) -> Sequence[IndexFact]:
        """Every index that is there or should be."""
        with translated(), asked(self.database.client):
            return index_facts(self.database)

    def create_indexes(self) -> None:
        """Create the indexes that are missing; on large collections this takes a while, and nothing stands still."""
        with translated(), asked(self.database.client):
            ensure_indexes(self.database)

    def sizes(self) -> dict[str, dict[str, int]]:
        """Each collection's documents and bytes (with indexes), for the retention page."""
        found: dict[str, dict[str, int]] = {}
        with translated(), asked(self.database.client):
            for name in sorted(self.database.list_collection_names()):
                if not name.startswith("system."):
                    stats = self.database.command("collStats", name)
                    found[name] = {
                        "documents": int(stats["count"]),
                        "bytes": int(stats["storageSize"] + stats["totalIndexSize"]),
                        "index_bytes": int(stats["totalIndexSize"]),
                    }
        return found


@dataclass(frozen=True)
class ServerFacts:
    """What is known of the server behind a store."""

    version: str
    replica_set: str | None
    has_transactions: bool
    documents: int
    bytes: int


@contextmanager
def _within(session: ClientSession) -> Iterator[None]:
    token = current_session.set(session)
    try:
        yield
    finally:
        current_session.reset(token)


def open_store(uri: str, database_name: str = "etlml", *, indexes: bool = True, **options: Any) -> Store:
    """Connect to MongoDB.

    Args:
        uri: ``mongodb://...``; its own options win over ours.
        database_name: Which database.
        indexes: Whether to create the indexes that are missing (needs the server to answer).
        options: Options of the client that win over both.

    Raises:
        ConfigInvalid: The URI cannot be used.
        Unavailable: MongoDB does not answer.
    """
    client = connect(uri, **options)
    try:
        return Store(client.get_database(database_name, write_concern=MAJORITY), indexes=indexes)
    except BaseException:
        _close(client)
        raise


def connect(uri: str, **options: Any) -> MongoClient[Document]:
    """A client with our pool sizes and time limits; it connects when first used. Raises ConfigInvalid."""
    if password := _password(uri):
        register_secrets([password])
    try:
        given = {name.lower() for name, _ in parse_qsl(urlsplit(uri).query)}
        defaults = {name: value for name, value in _DEFAULTS.items() if name.lower() not in given}
        with translated():
            return MongoClient(uri, **(defaults | options), tz_aware=True)
    except ValueError as error:
        raise ConfigInvalid(f"ETLML_MONGODB_URI cannot be used: {redacted(str(error))}.", field="mongodb_uri") from None


def _close(client: MongoClient[Document]) -> None:
    with pymongo.timeout(CLOSE_S):  # it says goodbye to the server, and would else look for one that is away
        client.close()


def _is_real(client: object) -> bool:
    return isinstance(client, MongoClient)  # mongomock's is not, and has no sessions


def _password(uri: str) -> str | None:
    try:
        return urlsplit(uri).password
    except ValueError:
        return None
