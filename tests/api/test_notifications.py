"""Channels, secrets and the system over REST: written, never read back."""

import io
import zipfile

from fastapi.testclient import TestClient


def test_a_channel_is_made_changed_tested_and_removed(client: TestClient) -> None:
    body = {"name": "team", "url": "json://127.0.0.1:9/hook-1234567"}
    created = client.post("/api/notifications", json=body, headers={"Idempotency-Key": "k"})
    assert created.status_code == 201
    assert client.post("/api/notifications", json=body, headers={"Idempotency-Key": "k"}).json() == created.json()
    changed = client.put(
        "/api/notifications/team", json={"events": ["quarantine"]}, headers={"If-Match": created.headers["ETag"]}
    )
    assert changed.json()["events"] == ["quarantine"]
    tested = client.post("/api/notifications/team/test").json()
    assert tested["ok"] is False
    listed = client.get("/api/notifications").text
    assert "hook-1234567" not in created.text + changed.text + listed + tested["message"]
    assert client.get("/api/notifications/team/notices").json() == {"items": [], "next_cursor": None}
    assert client.delete("/api/notifications/team").status_code == 204
    assert client.get("/api/notifications/team").status_code == 404


def test_a_secret_is_written_and_not_read(client: TestClient) -> None:
    assert client.put("/api/secrets/db", json={"value": "swordfish"}).json() == {"name": "DB", "kept": "stored"}
    assert client.get("/api/secrets").json() == {"items": [{"name": "DB", "kept": "stored"}]}
    assert client.delete("/api/secrets/DB").status_code == 204
    assert client.delete("/api/secrets/DB").status_code == 404


def test_ones_own_appearance_is_kept(client: TestClient) -> None:
    changed = client.put("/api/settings/appearance", json={"mode": "dark"})
    assert changed.json() == {"mode": "dark", "accent": None}
    assert client.put("/api/settings/appearance", json={"accent": "red"}).status_code == 422
    assert client.get("/api/settings/appearance").json()["mode"] == "dark"


def test_a_pack_goes_round(client: TestClient) -> None:
    client.post("/api/pipelines", json={"name": "p", "steps": []})
    pack = client.get("/api/system/pack").content
    plan = client.post("/api/system/unpack?dry_run=true", files={"file": ("p.pack", pack)}).json()["items"]
    assert [(each["kind"], each["change"]) for each in plan] == [("pipeline", "skipped")]
    client.delete("/api/pipelines/p")
    client.post("/api/system/unpack?dry_run=true", files={"file": ("p.pack", pack)})
    assert client.get("/api/pipelines/p").status_code == 404
    client.post("/api/system/unpack", files={"file": ("p.pack", pack)})
    assert client.get("/api/pipelines/p").status_code == 200


def test_diagnostics_and_indexes(client: TestClient) -> None:
    archive = zipfile.ZipFile(io.BytesIO(client.get("/api/system/diagnostics").content))
    assert "doctor.json" in archive.namelist()
    assert {each["state"] for each in client.post("/api/system/indexes").json()["items"]} == {"present"}
    assert {"MongoDB", "DuckDB"} <= {each["name"] for each in client.get("/api/system/doctor").json()["items"]}
