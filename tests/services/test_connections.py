"""What connections promise."""

import sqlite3
from typing import Any

import pytest

from etlml.errors import ConfigInvalid, StateConflict, VersionConflict
from etlml.services import Services
from etlml.services.etags import etag
from tests.services.factories import a_document


def a_connection(**changes: Any) -> dict[str, Any]:
    return {"name": "shop", "kind": "sqlite", "config": {"path": "shop.db"}} | changes


@pytest.mark.parametrize(
    "document",
    [
        a_connection(config={"path": "a", "password": "hunter22"}),
        a_connection(config={"url": "https://ann:hunter22@example.org"}),
        a_connection(secrets={"token": "hunter22"}),
        a_connection(secrets={"token": "x${secret.A}"}),
    ],
)
def test_secret_in_plain_text_is_refused_without_showing_it(services: Services, document: dict[str, Any]) -> None:
    with pytest.raises(ConfigInvalid, match=r"secret in plain text. Put it into the environment") as caught:
        services.connections.create(document)
    assert "hunter22" not in caught.value.message
    assert services.connections.list().items == []


def test_secret_by_reference_is_saved_as_the_reference(services: Services) -> None:
    services.connections.create(a_connection(secrets={"token": "${secret.SHOP}"}))
    assert services.connections.get("shop").secrets == {"token": "${secret.SHOP}"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (a_connection(kind="sqlit"), "no connection kind 'sqlit'. Known: duckdb, folder, http, sqlite"),
        (a_connection(hosts=1), "no field 'hosts'"),
        (a_connection(name="a/b"), "name"),
    ],
)
def test_wrong_document_is_refused(services: Services, document: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        services.connections.create(document)


def test_update_replaces_unless_it_was_changed_in_between(services: Services) -> None:
    created = services.connections.create(a_connection())
    changed = services.connections.update("shop", a_connection(description="new"), expected_etag=etag(created))
    assert (changed.id, changed.created_at, changed.description) == (created.id, created.created_at, "new")
    with pytest.raises(VersionConflict):
        services.connections.update("shop", a_connection(), expected_etag=etag(created))


def test_connection_that_a_pipeline_names_stays(services: Services) -> None:
    services.connections.create(a_connection())
    pipeline = services.pipelines.create(a_document())
    config = {"source": {"kind": "sqlite", "connection": "shop"}}
    services.store.pipelines.update(pipeline.id, {"steps.0.config": config})
    with pytest.raises(StateConflict, match="used by small"):
        services.connections.delete("shop")


class TestTest:
    """Trying to reach it."""

    def test_database_that_is_there_is_described(self, services: Services) -> None:
        with sqlite3.connect(services.environment.data_dir / "shop.db") as database:
            database.execute("CREATE TABLE orders (id)")
        database.close()
        services.connections.create(a_connection())
        found = services.connections.test("shop")
        assert (found["ok"], found["message"]) == (True, "SQLite database with 1 tables.")

    def test_failure_is_the_answer(self, services: Services) -> None:
        services.connections.create(a_connection())
        (services.environment.data_dir / "text.db").write_text("this is no database, but long enough to look at")
        services.connections.create(a_connection(name="text", config={"path": "text.db"}))
        services.connections.create(a_connection(name="web", kind="http", config={"url": "http://127.0.0.1:9"}))
        services.connections.create(a_connection(name="none", secrets={"key": "${secret.NOT_SET_AT_ALL}"}))
        assert "There is no 'shop.db'" in services.connections.test("shop")["message"]
        assert "no SQLite database" in services.connections.test("text")["message"]
        assert "cannot be reached: ConnectError" in services.connections.test("web")["message"]
        assert "There is no secret 'NOT_SET_AT_ALL'" in services.connections.test("none")["message"]
