"""Data files over REST."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient

from etlml.documents import Role
from etlml.services import Services

ROWS = b"a,b\n1,2\n"


def test_a_file_is_added_and_found(client: TestClient) -> None:
    reply = client.post("/api/files", files={"file": ("orders.csv", ROWS)})
    assert reply.status_code == 201
    assert reply.json()["path"] == "uploads/orders.csv"
    found = client.get("/api/files", params={"q": "ord", "kind": "csv"}).json()["items"]
    assert [(each["path"], each["bytes"]) for each in found] == [("uploads/orders.csv", len(ROWS))]
    assert client.get("/api/files", params={"kind": "parquet"}).json()["items"] == []


def test_what_no_step_could_read_is_refused(client: TestClient) -> None:
    reply = client.post("/api/files", files={"file": ("setup.exe", ROWS)})
    assert (reply.status_code, reply.json()["error"]["type"]) == (422, "ConfigInvalid")


def test_tables_of_a_database(client: TestClient, services: Services) -> None:
    path = Path(services.environment.data_dir) / "shop.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (a)")
    connection.close()
    assert client.get("/api/files/tables", params={"path": "shop.db"}).json() == {"items": ["orders"]}
    assert client.get("/api/files/tables", params={"path": "none.db"}).status_code == 422


def test_viewers_look_and_editors_add(client_of: Callable[[Role | None], TestClient]) -> None:
    viewer = client_of("viewer")
    assert viewer.get("/api/files").status_code == 200
    assert viewer.post("/api/files", files={"file": ("orders.csv", ROWS)}).status_code == 403
    assert client_of("editor").post("/api/files", files={"file": ("orders.csv", ROWS)}).status_code == 201


def test_a_pipeline_begins_with_a_file(client: TestClient) -> None:
    client.post("/api/files", files={"file": ("orders.csv", ROWS)})
    reply = client.post("/api/pipelines/from-file", json={"name": "orders", "path": "uploads/orders.csv"})
    assert reply.status_code == 201
    assert [step["id"] for step in reply.json()["steps"]] == ["orders"]
    wrong = client.post("/api/pipelines/from-file", json={"name": "more", "path": "setup.exe"})
    assert wrong.json()["error"]["type"] == "ConfigInvalid"
