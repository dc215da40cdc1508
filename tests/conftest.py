"""What all tests share: a real MongoDB, stores on it and on mongomock, an empty home, --fast."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mongomock
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pymongo import MongoClient
from pymongo.database import Database

from etlml.settings import get_settings
from etlml.store import Store
from etlml.store.client import connect
from etlml.store.collection import MAJORITY
from etlml.store.encoding import Document
from etlml.store.indexes import INDEXES, ensure_indexes
from etlml.store.mongod import EmbeddedMongod

HERE = Path(__file__).parent
WHOLE = frozenset({"browser", "cli", "pages"})
"""Folders that --fast leaves out: each test there draws a whole page, or runs a whole command."""
NEVER_S = 1e6
ROOMY_BYTES = 2 << 30
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # tests run side by side: threads beyond the cores only wait


def _in_memory() -> Path | None:
    """A disk that needs no waiting for, where there is one with room: the same server, ten times the tests."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() and shutil.disk_usage(folder).free > ROOMY_BYTES else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="leave out what is marked as slow, and whole pages and commands"
    )


def pytest_configure(config: pytest.Config) -> None:
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    if (folder := _in_memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    left_out = config.getoption("--fast") and collection_path.parent == HERE and collection_path.name in WHOLE
    return True if left_out else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fast"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("slow")])
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_collection_finish() -> None:
    """What has been imported stays to the end: leave it out whenever garbage is looked for (a tenth of all the time)."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[str]:
    """The URI of a real mongod, one for each test process; it ends with the process, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="etlml-test-", dir=_in_memory()))
    server = EmbeddedMongod(folder, ends_with_me=True)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mongo_client(mongo_server: str) -> Iterator[MongoClient[Document]]:
    """A client of the real mongod."""
    with connect(mongo_server) as client:
        client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})  # tests may store what is long past
        yield client


def _indexed(client: MongoClient[Document], name: str) -> Database[Document]:
    database = client.get_database(name, write_concern=MAJORITY)
    ensure_indexes(database)
    return database


def _empty(database: Database[Document]) -> None:
    """Take everything out of a database but its indexes (making one anew takes 0.2 s)."""
    for name in set(database.list_collection_names()) - INDEXES.keys():
        database.drop_collection(name)
    one_of_each = [[{"$limit": 1}, {"$project": {"_id": 0, "collection": name}}] for name in INDEXES]
    first, *others = zip(INDEXES, one_of_each, strict=True)
    unions = [{"$unionWith": {"coll": name, "pipeline": pipeline}} for name, pipeline in others]
    for found in list(database[first[0]].aggregate([*first[1], *unions])):
        database[found["collection"]].delete_many({})


@pytest.fixture(scope="session")
def _indexed_database(mongo_client: MongoClient[Document]) -> Database[Document]:
    return _indexed(mongo_client, "test")


@pytest.fixture
def mongo_database(_indexed_database: Database[Document]) -> Iterator[Database[Document]]:
    """An empty database of the real mongod, with all indexes; emptied afterwards."""
    yield _indexed_database
    _empty(_indexed_database)


@pytest.fixture(scope="session")
def _other_indexed_database(mongo_client: MongoClient[Document]) -> Database[Document]:
    return _indexed(mongo_client, "other")


@pytest.fixture
def other_database(_other_indexed_database: Database[Document]) -> Iterator[Database[Document]]:
    """A second one, for another installation."""
    yield _other_indexed_database
    _empty(_other_indexed_database)


@pytest.fixture
def mongo_uri(mongo_server: str, mongo_database: Database[Document], monkeypatch: pytest.MonkeyPatch) -> str:
    """The real mongod as the one that the settings name (database ``test``), for code that connects by itself."""
    monkeypatch.setenv("ETLML_MONGODB_URI", mongo_server)
    monkeypatch.setenv("ETLML_DATABASE", mongo_database.name)
    get_settings.cache_clear()
    return mongo_server


@pytest.fixture
def real_store(mongo_database: Database[Document]) -> Store:
    """A store on the real mongod."""
    return Store(mongo_database, indexes=False)


@pytest.fixture(scope="session", autouse=True)
def _without_what_takes_long() -> Iterator[PasswordHash | None]:
    """Passwords are hashed in no time; engines leave their children cold. Gives how people's passwords are hashed."""
    with pytest.MonkeyPatch.context() as patched:
        if engine := sys.modules.get("etlml.engine.engine"):  # import it for no test that does without
            patched.setattr(engine, "WARM_UP_AFTER_S", NEVER_S)
        real = None
        if users := sys.modules.get("etlml.services.users"):
            real = users._hasher
            patched.setattr(users, "_hasher", PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)]))
        yield real


@pytest.fixture
def real_passwords(_without_what_takes_long: PasswordHash | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as people's are, which takes 0.2 s."""
    monkeypatch.setattr("etlml.services.users._hasher", _without_what_takes_long)


@pytest.fixture
def mock_store() -> Store:
    """A store on mongomock: fast, but with neither transactions nor threads."""
    return Store(mongomock.MongoClient(tz_aware=True)["test"])


@pytest.fixture(params=["mongomock", "mongod"])
def store(request: pytest.FixtureRequest) -> Store:
    """A store, once on mongomock and once on the real mongod: for what must hold on both."""
    found: Store = request.getfixturevalue("mock_store" if request.param == "mongomock" else "real_store")
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty ETLML_HOME with its folders; settings are read anew within the test and after it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ETLML_HOME", str(folder))
    get_settings.cache_clear()
    get_settings().make_folders()
    yield folder
    get_settings.cache_clear()
