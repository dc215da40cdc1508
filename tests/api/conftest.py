"""The REST app on a real store, and clients of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from etlml.documents import Role
from etlml.services import Services
from etlml.settings import get_settings
from etlml.store import Store

PASSWORD = "correct horse"
BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def services(real_store: Store, home: Path) -> Services:
    """All use cases; sign-in is off, as on loopback."""
    return Services(real_store, get_settings())


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    """A client on this machine."""
    with TestClient(create_app(services), base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def guarded(services: Services) -> Services:
    """All use cases; sign-in is required."""
    return Services(services.store, services.environment.model_copy(update={"auth": "required"}))


@pytest.fixture
def client_of(guarded: Services) -> Iterator[Callable[[Role | None], TestClient]]:
    """Clients with an API key of a role, or without credentials."""
    app = create_app(guarded)

    def make(role: Role | None) -> TestClient:
        headers = {} if role is None else {"X-API-Key": guarded.api_keys.create(role, role=role)[1]}
        return TestClient(app, base_url=BASE_URL, headers=headers)

    return make
