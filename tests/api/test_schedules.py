"""Schedules, versions and templates over REST."""

from fastapi.testclient import TestClient

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.services import Services
from tests.services.factories import a_document


def test_schedules_are_told_in_words_with_their_history(client: TestClient, services: Services) -> None:
    pipeline = client.post("/api/pipelines", json=a_document(schedule="0 6 * * *")).json()
    fields = {"pipeline_id": pipeline["id"], "trigger": "schedule", "scheduled_for": utc_now()}
    services.store.runs.add(Run.model_validate({**fields, "status": "missed", "reason": "Too late."}))
    (row,) = client.get("/api/schedules").json()["items"]
    assert (row["words"], row["missed"], len(row["next_fires"])) == ("at 06:00 every day, UTC", 1, 5)
    (coming,) = client.get("/api/schedules/upcoming?hours=24").json()["items"]
    assert len(coming["at"]) == 1
    (fire,) = client.get("/api/pipelines/small/schedule/history?outcome=missed").json()["items"]
    assert (fire["outcome"], fire["reason"]) == ("missed", "Too late.")
    assert client.get("/api/pipelines/small/schedule/history?outcome=ran").json()["items"] == []


def test_versions_are_compared_and_restored(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document())
    client.put("/api/pipelines/small", json=a_document(steps=a_document()["steps"][:2]))
    diff = client.get("/api/pipelines/small/versions/1/diff/2").json()
    assert [(step["step"], step["kind"]) for step in diff["steps"]] == [("saved", "removed")]
    assert any(line.startswith("-  - id: saved") for line in diff["yaml"])
    restored = client.post("/api/pipelines/small/versions/1/restore")
    assert (restored.json()["version"], restored.headers["ETag"], len(restored.json()["steps"])) == (3, '"3"', 3)
    assert client.get("/api/pipelines/small/versions/1/diff/9").status_code == 404


def test_a_webhooks_digest_is_not_in_any_answer(client: TestClient, services: Services) -> None:
    client.post("/api/pipelines", json=a_document())
    token = client.post("/api/pipelines/small/webhook").json()["token"]
    digest = services.pipelines.get("small").triggers[0].token_hash or "-"
    for path in ("/api/pipelines/small", "/api/pipelines", "/api/pipelines/small/versions"):
        assert digest not in client.get(path).text
    shown = client.get("/api/pipelines/small").json()
    body = a_document(triggers=shown["triggers"], description="changed")
    assert digest not in client.put("/api/pipelines/small", json=body).text
    assert client.post(f"/api/hooks/{token}").status_code == 202


def test_a_backfill_redoes_what_is_asked_for(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document(schedule="@daily"))
    body = {"since": "2024-01-01T00:00:00Z", "until": "2024-01-02T00:00:00Z", "redo": "missing", "dry_run": True}
    assert len(client.post("/api/pipelines/small/backfill", json=body).json()["moments"]) == 2
    assert client.post("/api/pipelines/small/backfill", json={**body, "redo": "odd"}).status_code == 422


def test_templates_can_be_created_as_they_are(client: TestClient) -> None:
    found = {each["key"]: each for each in client.get("/api/templates").json()["items"]}
    assert "csv-to-parquet" in found
    created = client.post(
        "/api/pipelines", content=found["quarantine-bad-rows"]["yaml"], headers={"Content-Type": "application/yaml"}
    )
    assert created.status_code == 201
