"""Pipelines and runs over REST."""

from fastapi.testclient import TestClient

from etlml.clock import utc_now
from etlml.services import Services
from tests.services.factories import a_document

YAML = {"Content-Type": "application/yaml"}


def test_created_from_yaml_and_read_back_as_yaml(client: TestClient, services: Services) -> None:
    text = "name: small\nsteps:\n  - {id: rows, type: extract, config: {source: {kind: inline, rows: [{on: 1}]}}}\n"
    created = client.post("/api/pipelines", content=text, headers=YAML)
    assert created.status_code == 201
    assert created.headers["Location"] == f"/api/pipelines/{created.json()['id']}"
    shown = client.get("/api/pipelines/small", headers={"Accept": "application/yaml"})
    assert shown.headers["Content-Type"].startswith("application/yaml")
    again = client.put("/api/pipelines/small", content=shown.text, headers=YAML)
    assert again.json()["steps"] == created.json()["steps"]


def test_put_takes_if_match(client: TestClient) -> None:
    etag = client.post("/api/pipelines", json=a_document()).headers["ETag"]
    assert etag == '"1"'
    changed = client.put("/api/pipelines/small", json=a_document(description="a"), headers={"If-Match": etag})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    for stale in (etag, 'W/"1"', '"x"', "nonsense"):
        response = client.put("/api/pipelines/small", json=a_document(), headers={"If-Match": stale})
        assert (response.status_code, response.json()["error"]["type"]) == (412, "VersionConflict")
    assert client.put("/api/pipelines/small", json=a_document(), headers={"If-Match": "*"}).status_code == 200


def test_repeated_creation_with_a_key_creates_one(client: TestClient) -> None:
    key = {"Idempotency-Key": "k1"}
    first = client.post("/api/pipelines", json=a_document(), headers=key)
    again = client.post("/api/pipelines", json=a_document(), headers=key)
    assert (first.json()["id"], again.status_code) == (again.json()["id"], 201)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    other = client.post("/api/pipelines", json=a_document(name="b"), headers=key)
    assert (other.status_code, other.json()["error"]["type"]) == (409, "Conflict")
    runs = {client.post("/api/pipelines/small/run", headers={"Idempotency-Key": "k2"}).json()["id"] for _ in range(3)}
    assert len(runs) == 1


def test_lists_page_by_cursor_and_filter(client: TestClient) -> None:
    for name in ("a", "b", "c"):
        client.post("/api/pipelines", json=a_document(name=name, tags=[name]))
    first = client.get("/api/pipelines?limit=2").json()
    rest = client.get("/api/pipelines", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["name"] for item in first["items"] + rest["items"]] == ["c", "b", "a"]
    assert rest["next_cursor"] is None
    assert [item["name"] for item in client.get("/api/pipelines?tag=b").json()["items"]] == ["b"]


def test_validate_saves_nothing(client: TestClient) -> None:
    assert client.post("/api/pipelines/validate", json=a_document()).json() == {"valid": True, "problems": []}
    found = client.post("/api/pipelines/validate", json=a_document(schedule="x")).json()
    assert (found["valid"], found["problems"][0]["field"]) == (False, "schedule")
    assert client.get("/api/pipelines").json()["items"] == []


def test_versions_runs_and_deletion(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document())
    client.put("/api/pipelines/small", json=a_document(description="b"))
    versions = client.get("/api/pipelines/small/versions").json()["items"]
    assert [(version["version"], version["document"]["description"]) for version in versions] == [(2, "b"), (1, "")]
    run = client.post("/api/pipelines/small/run").json()
    assert client.get("/api/pipelines/small/runs").json()["items"][0]["id"] == run["id"]
    assert client.delete("/api/pipelines/small").status_code == 409
    client.post(f"/api/runs/{run['id']}/cancel")
    assert client.delete("/api/pipelines/small").status_code == 204
    assert client.get("/api/pipelines/small").status_code == 404


def test_run_is_queued_with_its_parameters(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document())
    response = client.post("/api/pipelines/small/run", json={"params": {"least": 2}, "priority": 5})
    run = response.json()
    assert (response.status_code, run["status"], run["trigger"], run["priority"]) == (202, "pending", "api", 5)
    assert run["params"]["least"] == 2
    assert client.get(response.headers["Location"]).json()["id"] == run["id"]
    refused = client.post("/api/pipelines/small/run", json={"params": {"lest": 2}})
    assert refused.status_code == 422
    assert "Did you mean 'least'" in refused.json()["error"]["message"]


def test_run_is_watched_cancelled_and_tried_again(client: TestClient, services: Services) -> None:
    client.post("/api/pipelines", json=a_document())
    run_id = client.post("/api/pipelines/small/run").json()["id"]
    assert client.get(f"/api/runs/{run_id}/logs").json() == {"items": [], "next_cursor": None}
    assert client.get(f"/api/runs/{run_id}/steps/rows/preview").status_code == 409
    assert client.post(f"/api/runs/{run_id}/retry").status_code == 409
    services.store.runs.claim("w", utc_now(), 60)
    assert client.post(f"/api/runs/{run_id}/cancel").json()["cancel_requested"] is True
    services.store.runs.finish(run_id, 1, "w", "cancelled", utc_now())
    assert client.post(f"/api/runs/{run_id}/cancel").status_code == 409
    again = client.post(f"/api/runs/{run_id}/retry", json={"from": "kept"})
    assert (again.status_code, again.json()["retry_of"]) == (202, run_id)
    assert client.post(f"/api/runs/{run_id}/retry", json={"from": "keptt"}).status_code == 422
    assert client.get("/api/runs?trigger=retry&pipeline=small").json()["items"][0]["id"] == again.json()["id"]


def test_a_step_of_an_unsaved_document_is_previewed(client: TestClient) -> None:
    body = {"document": a_document(), "step": "kept", "params": {"least": 2}, "limit": 5}
    found = client.post("/api/pipelines/preview", json=body)
    assert found.status_code == 200
    assert (found.json()["row_count"], found.json()["rows"]) == (1, [{"id": 3, "x": 4.0}])
    assert found.json()["ops"][0]["rows_before"] == 3
    assert found.json()["changed_rows"] == []
    changed = client.post("/api/pipelines/preview", json={**body, "changes_of": 0}).json()["changed_rows"]
    assert [(row["gone"], row["values"]["id"]) for row in changed] == [(True, 1), (True, 2)]
    refused = client.post("/api/pipelines/preview", json={**body, "step": "kep"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (404, "NotFound")
    assert client.get("/api/pipelines").json()["items"] == []


def test_a_run_can_end_with_a_step(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document())
    run = client.post("/api/pipelines/small/run", json={"until": "kept"}).json()
    assert (run["until"], [step["status"] for step in run["steps"]]) == ("kept", ["pending", "pending", "skipped"])
    assert client.post("/api/pipelines/small/run", json={"until": "kep"}).status_code == 422


def test_a_pipeline_is_made_of_a_template_and_copied_without_its_schedule(client: TestClient) -> None:
    made = client.post("/api/pipelines/from-template/csv-to-parquet", json={"name": "first"})
    assert (made.status_code, made.json()["name"]) == (201, "first")
    assert client.post("/api/pipelines/from-template/nothing", json={"name": "x"}).status_code == 404
    client.post("/api/pipelines", json=a_document(name="daily", schedule="@daily"))
    copied = client.post("/api/pipelines/daily/copy", json={"name": "second"})
    assert (copied.status_code, copied.json()["schedule"]) == (201, None)
    assert client.post("/api/pipelines/daily/copy", json={"name": "second"}).status_code == 409
    refused = client.post("/api/pipelines/daily/copy", json={"name": '"'})
    assert (refused.status_code, refused.json()["error"]["type"]) == (422, "PipelineInvalid")
