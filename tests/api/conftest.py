"""The REST app on a real store, and clients of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import mongomock
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.main import create_app
from etlml.documents import Role
from etlml.services import Services
from etlml.settings import Settings, get_settings
from etlml.store import Store

PASSWORD = "correct horse"
BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def _app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """One app for all tests: the first request to a new one takes 0.3 s."""
    store = Store(mongomock.MongoClient()["nobody"])
    return create_app(Services(store, Settings(home=tmp_path_factory.mktemp("nobody"))))


@pytest.fixture
def services(real_store: Store, home: Path) -> Services:
    """All use cases; sign-in is off, as on loopback."""
    return Services(real_store, get_settings())


@pytest.fixture
def client(_app: FastAPI, services: Services) -> Iterator[TestClient]:
    """A client on this machine."""
    _app.state.services = services
    with TestClient(_app, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def guarded(services: Services) -> Services:
    """All use cases; sign-in is required."""
    return Services(services.store, services.environment.model_copy(update={"auth": "required"}))


@pytest.fixture
def client_of(_app: FastAPI, guarded: Services) -> Callable[[Role | None], TestClient]:
    """Clients with an API key of a role, or without credentials."""
    _app.state.services = guarded

    def make(role: Role | None) -> TestClient:
        headers = {} if role is None else {"X-API-Key": guarded.api_keys.create(role, role=role)[1]}
        return TestClient(_app, base_url=BASE_URL, headers=headers)

    return make
