"""Backfills and schedules over REST."""

from fastapi.testclient import TestClient

from etlml.clock import utc_now
from etlml.engine.backfilling import Backfilling
from etlml.services import Services
from tests.services.factories import a_document

BODY = {"since": "2024-01-01T00:00:00Z", "until": "2024-01-03T23:00:00Z"}


def test_backfill_lists_first_and_queues_then(client: TestClient, services: Services) -> None:
    client.post("/api/pipelines", json=a_document(schedule="0 6 * * *"))
    listed = client.post("/api/pipelines/small/backfill", json=BODY | {"dry_run": True})
    assert (listed.status_code, len(listed.json()["moments"])) == (200, 3)
    started = client.post("/api/pipelines/small/backfill", json=BODY | {"parallel": 2, "params": {"least": 2}})
    assert (started.status_code, started.json()["total"], started.json()["waiting"]) == (202, 3, 3)
    Backfilling(services.store, utc_now).tick()
    found = client.get(started.headers["Location"]).json()
    assert (found["counts"], found["waiting"], found["params"]) == ({"pending": 2}, 1, {"least": 2})
    assert client.get("/api/backfills?pipeline=small&status=running").json()["items"] == [found]


def test_backfill_is_made_once_for_each_key(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document(schedule="0 6 * * *"))
    ids = {
        client.post("/api/pipelines/small/backfill", json=BODY, headers={"Idempotency-Key": "k"}).json()["id"]
        for _ in range(2)
    }
    assert len(ids) == 1


def test_backfill_is_paused_resumed_and_cancelled(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document(schedule="0 6 * * *"))
    place = client.post("/api/pipelines/small/backfill", json=BODY).headers["Location"]
    for action, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        response = client.post(f"{place}/{action}")
        assert (response.status_code, response.json()["status"]) == (200, status)
    assert client.post(f"{place}/pause").status_code == 409
    assert client.get("/api/backfills/none").status_code == 404


def test_schedule_shows_what_comes_and_can_be_paused(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document(schedule="0 6 * * 1-5", timezone="Europe/Berlin"))
    shown = client.get("/api/pipelines/small/schedule").json()
    assert (shown["schedule"], shown["timezone"], shown["paused"]) == ("0 6 * * 1-5", "Europe/Berlin", False)
    assert (len(shown["next_fires"]), shown["missed"]) == (5, [])
    paused = client.post("/api/pipelines/small/pause")
    assert (paused.json()["options"]["paused"], paused.headers["ETag"]) == (True, '"2"')
    assert client.get("/api/pipelines/small/schedule").json()["paused"] is True
    assert client.post("/api/pipelines/small/resume").json()["options"]["paused"] is False


def test_run_without_cache_forces_every_step(client: TestClient) -> None:
    client.post("/api/pipelines", json=a_document())
    forced = [client.post("/api/pipelines/small/run", json=body).json()["steps"] for body in ({"cache": False}, {})]
    assert [[step["forced"] for step in steps] for steps in forced] == [[True] * 3, [False] * 3]
