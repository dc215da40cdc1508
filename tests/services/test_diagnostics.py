"""What the diagnostics bundle promises: how the installation is, and no secret that is known to it."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from etlml.clock import new_id
from etlml.documents import LogEntry
from etlml.errors import InvalidInput
from etlml.services import Services
from etlml.settings import get_settings
from etlml.store import Store

SECRETS = {
    "environment": "env-swordfish-17",
    "stored": "stored-hunter-42",
    "uri": "mongo-pass-99",
    "key": "signing-key-123456",
    "url": "json://127.0.0.1:9/hook-5f2a7710",
    "password": "correct horse 77",
    "bearer": "Bearer abcdef0123456789",
}


@pytest.fixture
def services(real_store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setenv("ETLML_SECRET_WAREHOUSE", SECRETS["environment"])
    monkeypatch.setenv("ETLML_MONGODB_URI", f"mongodb://me:{SECRETS['uri']}@127.0.0.1:1/x")
    monkeypatch.setenv("ETLML_SECRET_KEY", SECRETS["key"])
    get_settings.cache_clear()
    made = Services(real_store, get_settings())
    made.secrets.set("api_token", SECRETS["stored"])
    made.notifications.create({"name": "team", "url": SECRETS["url"]})
    made.users.create("ann", SECRETS["password"], role="admin")
    made.api_keys.create("ci")
    return made


def bundle(services: Services) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(services.diagnostics.content())) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_no_secret_is_inside(services: Services) -> None:
    hash_ = services.users.get("ann").password_hash
    _, key = services.api_keys.create("other")
    said = [*(value for name, value in SECRETS.items() if name != "password"), f"password={SECRETS['password']!r}"]
    services.store.logs.add_many([LogEntry(id=new_id(), message=f"it said {value}") for value in said])
    services.store.logs.add_many([LogEntry(id=new_id(), message="x", fields={"token": "zzz-hidden", "n": 1})])
    text = "\n".join(bundle(services).values())
    assert "it said ***" in text
    for value in (*SECRETS.values(), hash_, key, "hook-5f2a7710", "zzz-hidden", "abcdef0123456789"):
        assert value not in text


def test_it_says_how_the_installation_is(services: Services) -> None:
    found = bundle(services)
    assert json.loads(found["versions.json"])["etlml"]
    assert json.loads(found["settings.json"])["mongodb_uri"] == "***"
    assert {"name": "WAREHOUSE", "kept": "environment"} in json.loads(found["secrets.json"])
    assert any(fact["state"] == "present" for fact in json.loads(found["indexes.json"]))
    assert {"doctor.json", "health.json", "collections.json", "workers.json", "preferences.json"} <= set(found)


def test_it_holds_the_last_lines_of_the_log_only(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etlml.services.diagnostics.LOG_LINES", 30)
    services.store.logs.add_many([LogEntry(message=f"line {n}", level="INFO") for n in range(50)])
    assert len(bundle(services)["log.jsonl"].splitlines()) == 30


def test_a_place_that_cannot_be_written_is_refused(services: Services, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be written"):
        services.diagnostics.write(tmp_path / "no" / "folder.zip")
