"""Webhooks and retention over REST."""

import logging
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from etlml.documents import Role
from etlml.services import Services
from etlml.services.throttle import Pace
from tests.api.conftest import BASE_URL
from tests.services.factories import a_document

ClientOf = Callable[[Role | None], TestClient]


def test_webhook_starts_its_pipeline_without_sign_in(client_of: ClientOf) -> None:
    editor, sender = client_of("editor"), client_of(None)
    editor.post("/api/pipelines", json=a_document())
    made = editor.post("/api/pipelines/small/webhook")
    assert made.status_code == 201
    path = made.json()["path"]
    run = sender.post(path, json={"params": {"least": 2}, "event": "push"})
    assert (run.status_code, run.json()["trigger"]) == (202, "webhook")
    assert editor.get(f"/api/runs/{run.json()['id']}").json()["params"]["least"] == 2
    assert sender.post(path).status_code == 202
    assert sender.post(path, json={"params": {"lest": 2}}).status_code == 422
    assert sender.post(path, json={"params": 1}).status_code == 422
    assert sender.get("/api/runs").status_code == 401


def test_webhook_starts_one_run_for_each_key(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document())
    path = client.post("/api/pipelines/small/webhook").json()["path"]
    ids = {client.post(path, headers={"Idempotency-Key": "delivery-1"}).json()["id"] for _ in range(2)}
    assert len(ids) == 1


def test_unknown_rotated_and_removed_tokens_are_not_found(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document())
    old = client.post("/api/pipelines/small/webhook").json()["path"]
    new = client.post("/api/pipelines/small/webhook/rotate").json()["path"]
    assert [client.post(path).status_code for path in (old, new, "/api/hooks/guess")] == [404, 202, 404]
    assert client.delete("/api/pipelines/small/webhook").status_code == 204
    assert client.post(new).status_code == 404
    assert client.post("/api/pipelines/small/webhook/rotate").status_code == 404


def test_only_editors_make_webhooks(client_of: ClientOf) -> None:
    client_of("editor").post("/api/pipelines", json=a_document())
    assert client_of("viewer").post("/api/pipelines/small/webhook").status_code == 403


def test_token_stays_out_of_the_log_when_the_server_breaks(
    services: Services, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(services.webhooks, "start", broken)
    client = TestClient(create_app(services), base_url=BASE_URL, raise_server_exceptions=False)
    with caplog.at_level(logging.ERROR):
        assert client.post("/api/hooks/very-secret-token").status_code == 500
    assert "POST /api/hooks/{token} failed" in caplog.text
    assert "very-secret-token" not in caplog.text


def test_retention_is_shown_to_all_and_applied_by_admins(client_of: ClientOf) -> None:
    admin = client_of("admin")
    admin.put("/api/settings", json={"run_retention_days": 30, "cache_max_bytes": None})
    shown = client_of("viewer").get("/api/settings/retention").json()
    assert (shown["policy"]["run_retention_days"], shown["policy"]["cache_max_bytes"]) == (30, None)
    figures = ("runs", "checkpoints", "validations", "log_lines", "audit_entries", "bytes")
    assert {name: shown[name] for name in figures} == dict.fromkeys(figures, 0)
    assert client_of("editor").post("/api/settings/retention").status_code == 403
    assert admin.post("/api/settings/retention").json() == shown


class TestRefusedCalls:
    @pytest.fixture
    def path(self, client: TestClient) -> str:
        """Of the webhook of ``small``."""
        client.post("/api/pipelines", json=a_document())
        return str(client.post("/api/pipelines/small/webhook").json()["path"])

    def test_are_counted_with_their_reasons_and_without_their_token(
        self, services: Services, client: TestClient, path: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert client.get("/api/pipelines/small/webhook").json()["refused"] == 0
        client.post(path, json={"params": {"lest": 2}})
        client.post(path, json={"params": 1})
        client.post(path, content=b"{", headers={"Content-Type": "application/json"})
        client.post(path, content=b"x", headers={"Content-Type": "text/plain"})
        client.post("/api/pipelines/small/pause")
        client.post(path)
        found = client.get("/api/pipelines/small/webhook")
        assert (found.json()["exists"], found.json()["refused"], found.json()["last_delivery"]) == (True, 5, None)
        assert [one["reason"] for one in found.json()["refusals"]] == ["paused", *["body"] * 4]
        stored = str(list(services.store.database["webhook_calls"].find()))
        token = path.rpartition("/")[2]
        assert token not in found.text + stored + caplog.text
        assert caplog.text.count("Webhook calls of small were refused: 1") == 1

    def test_a_call_that_is_taken_is_the_last_delivery(self, client: TestClient, path: str) -> None:
        client.post(path)
        found = client.get("/api/pipelines/small/webhook").json()
        assert found["last_delivery"] is not None
        assert found["refused"] == 0

    def test_an_unknown_token_is_counted_for_nobody_and_told_once_a_minute(
        self, services: Services, client: TestClient, path: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(3):
            client.post(f"/api/hooks/guess-{number}", json={"params": 1})
        assert services.webhooks.unknown().refused == 3
        assert client.get("/api/pipelines/small/webhook").json()["refused"] == 0
        assert caplog.text.count("with an unknown token") == 1
        assert "guess" not in caplog.text + str(list(services.store.database["webhook_calls"].find()))

    def test_they_are_forgotten_with_the_webhook(self, services: Services, client: TestClient, path: str) -> None:
        client.post(path, json={"params": 1})
        client.delete("/api/pipelines/small/webhook")
        assert client.get("/api/pipelines/small/webhook").json()["refusals"] == []

    def test_too_many_a_minute_are_refused_with_the_time_to_wait_and_a_repeated_delivery_is_not_one(
        self, services: Services, client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services.webhooks, "_pace", Pace(1, clock=lambda: 0.0))
        first, again = (client.post(path, headers={"Idempotency-Key": "one"}) for _ in range(2))
        assert (first.status_code, again.status_code) == (202, 202)
        refused = client.post(path, headers={"Idempotency-Key": "two"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert refused.json()["error"]["type"] == "TooManyRequests"
        (noted,) = client.get("/api/pipelines/small/webhook").json()["refusals"]
        assert (noted["reason"], noted["message"]) == ("rate", "There were too many calls within a minute.")
