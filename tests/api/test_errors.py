"""Every error has one shape and the true status code."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.bodies import LARGEST_BODY
from api.main import create_app
from etlml.errors import Unavailable, known_errors
from etlml.services import Services
from tests.api.conftest import BASE_URL
from tests.services.factories import a_document

JSON = {"Content-Type": "application/json"}


def error_of(response: Any, status: int, type_: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"type", "message", "details"}
    assert error["type"] == type_
    assert error["message"]
    return error


def test_unknown_path(client: TestClient) -> None:
    assert "/api/nope" in error_of(client.get("/api/nope"), 404, "NotFound")["message"]


def test_unknown_document(client: TestClient) -> None:
    error = error_of(client.get("/api/runs/r1"), 404, "NotFound")
    assert error["details"] == {"kind": "run", "key": "r1"}


def test_method_that_is_not_possible_names_those_that_are(client: TestClient) -> None:
    response = client.patch("/api/pipelines")
    error_of(response, 405, "MethodNotAllowed")
    assert response.headers["Allow"] == "GET, POST"


def test_malformed_json_has_its_position(client: TestClient) -> None:
    error = error_of(client.post("/api/experiments", content='{"name": ]}', headers=JSON), 400, "MalformedJson")
    assert error["details"]["problems"][0]["position"] == 9
    error_of(client.post("/api/pipelines", content='{"name": ]}', headers=JSON), 400, "MalformedJson")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": "a", "parameters": {"x": NaN}}', 422),
        (b'{"name": "a", "parameters": {"x": 1e999}}', 422),
        (b'{"name": "a", "parameters": {"x": 99999999999999999999}}', 422),
        (b'{"name": "a", "parameters": {"x": ' + b"9" * 5000 + b"}}", 422),
        (b'{"name": "a", "parameters": {"x": "\\ud800"}}', 422),
        (b'{"name": "a", "parameters": {"\\u0000": 1}}', 422),
        (b'{"name": "a", "parameters": ' + b'{"a":' * 60 + b"1" + b"}" * 61, 422),
        (b"[" * 100_000, 400),
        (b'{"name": "\xff"}', 400),
        (b"", 422),
        (b"null", 422),
        (b"[]", 422),
    ],
)
def test_json_that_cannot_be_kept_is_refused(client: TestClient, body: bytes, status: int) -> None:
    response = client.post("/api/experiments", content=body, headers=JSON)
    assert response.status_code == status, response.text
    assert set(response.json()["error"]) == {"type", "message", "details"}


def test_wrong_fields_are_named(client: TestClient) -> None:
    error = error_of(client.post("/api/experiments", json={"nam": "a"}), 422, "RequestInvalid")
    assert {problem["field"] for problem in error["details"]["problems"]} == {"name", "nam"}


def test_wrong_query_parameter_is_named(client: TestClient) -> None:
    error = error_of(client.get("/api/runs?limit=0"), 422, "RequestInvalid")
    assert "Query parameter 'limit'" in error["message"]
    error_of(client.get("/api/runs?cursor=abc"), 422, "InvalidInput")
    error_of(client.get("/api/runs?since=0001-01-01T00:00:00%2B14:00"), 422, "RequestInvalid")


def test_a_body_that_is_too_large_is_refused_with_or_without_a_length(client: TestClient) -> None:
    error_of(client.post("/api/pipelines", content=b" " * (LARGEST_BODY + 1), headers=JSON), 413, "BodyTooLarge")

    def pieces() -> Any:  # of unknown length
        for _ in range(LARGEST_BODY // 2**20 + 1):
            yield b" " * 2**20

    error_of(client.post("/api/experiments", content=pieces(), headers=JSON), 413, "BodyTooLarge")


def test_a_body_of_another_kind_is_refused(client: TestClient) -> None:
    error_of(client.post("/api/experiments", content="a=1"), 415, "UnsupportedMediaType")
    error_of(client.post("/api/pipelines", data={"a": "1"}), 415, "UnsupportedMediaType")


def test_pipeline_that_could_not_run_lists_its_problems(client: TestClient) -> None:
    document = a_document()
    document["steps"][1]["config"]["ops"][0]["where"] = "y > 1"
    error = error_of(client.post("/api/pipelines", json=document), 422, "PipelineInvalid")
    assert error["details"]["problems"][0]["step"] == "kept"


def test_yaml_error_has_its_position(client: TestClient) -> None:
    response = client.post("/api/pipelines", content="name: a\nname: b", headers={"Content-Type": "application/yaml"})
    assert error_of(response, 422, "InvalidInput")["details"] == {"line": 2, "column": 1}


def test_unexpected_failure_shows_nothing_of_the_inside(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("password=hunter22 in /home/ann")

    monkeypatch.setattr(type(services.runs), "get", fail)
    client = TestClient(create_app(services), base_url=BASE_URL, raise_server_exceptions=False)
    error = error_of(client.get("/api/runs/r1"), 500, "InternalError")
    assert "hunter22" not in error["message"]


def test_database_that_is_away_is_503(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Unavailable("MongoDB cannot be reached.")

    monkeypatch.setattr(type(services.store.runs), "get", fail)
    monkeypatch.setattr(type(services.store), "ping", fail)
    client = TestClient(create_app(services), base_url=BASE_URL)
    response = client.get("/api/runs/r1")
    error_of(response, 503, "Unavailable")
    assert response.headers["Retry-After"] == "5"
    assert client.get("/api/health").status_code == 503


def test_every_error_class_has_a_status_code() -> None:
    from api.errors import status_of

    codes = {name: status_of(kind.__new__(kind)) for name, kind in known_errors().items()}
    assert codes["VersionConflict"] == 412
    assert codes["NameTaken"] == 409
    assert codes["ColumnMissing"] == 422
    assert set(codes.values()) <= {400, 401, 403, 404, 409, 412, 422, 429, 503}
