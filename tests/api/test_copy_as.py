"""What the studio offers to copy, executed: the Python forms on the app, the curl forms on a server, with and without a key."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.main import create_app
from etlml.documents import Role
from etlml.services import Services
from etlml.ui import copy_as
from etlml.ui.copy_as import (
    Action,
    channels,
    connections,
    experiments,
    pipelines,
    runs,
    settings,
    system,
    validations,
)
from tests.services.factories import a_document

pytestmark = pytest.mark.slow

API = "http://127.0.0.1:8000/api"


@pytest.fixture
def paste(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Runs the Python form of an action, with the client in the place of httpx."""
    monkeypatch.chdir(tmp_path)

    def run(client: TestClient, action: Action, *, signed_in: bool = False) -> None:
        program = ModuleType("httpx")
        for method in ("get", "post", "put", "patch", "delete"):
            setattr(program, method, sender(client, method))
        monkeypatch.setitem(sys.modules, "httpx", program)
        exec(copy_as.shown(action, API, signed_in=signed_in)["Python"], {})

    return run


def sender(client: TestClient, method: str) -> Callable[..., Any]:
    def send(url: str, *, timeout: float | None = None, **given: Any) -> Any:
        try:
            return client.request(method.upper(), url, **given)
        finally:
            for file in given.get("files", {}).values():
                file.close()

    return send


def test_a_pipeline_from_its_template_to_its_end(
    client: TestClient, services: Services, paste: Callable[..., None]
) -> None:
    paste(client, pipelines.from_template("first one", "csv-to-parquet"))
    paste(client, pipelines.copy("first one", "second"))
    paste(client, pipelines.pause(["first one", "second"]))
    assert services.pipelines.get("second").options.paused
    paste(client, pipelines.resume(["first one", "second"]))
    paste(client, pipelines.create_webhook("second"))
    paste(client, pipelines.renew_webhook("second"))
    paste(client, pipelines.delete_webhook("second"))
    paste(client, pipelines.compare_versions("second", 1, 2))
    paste(client, pipelines.restore("second", 1))
    paste(client, pipelines.export("second"))
    Path("second.yaml").rename(pipelines.FILE)
    paste(client, pipelines.save("second"))
    paste(client, pipelines.delete(["first one", "second"]))
    assert services.pipelines.names() == {}
    paste(client, pipelines.from_file())
    assert list(services.pipelines.names()) == ["second"]


def test_runs_together(client: TestClient, services: Services, paste: Callable[..., None]) -> None:
    services.pipelines.create(a_document())
    paste(client, runs.start_all(["small", "small"]))
    ids = [run.id for run in services.runs.list().items]
    paste(client, runs.cancel(ids))
    paste(client, runs.retry(ids, "start"))
    paste(client, runs.compare(*ids))
    paste(client, runs.delete(ids))
    assert len(services.runs.list().items) == 2


def test_secrets_and_addresses_come_from_the_environment(
    client: TestClient, services: Services, paste: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_SHOP_TOKEN", 'it\'s "swordfish"')
    monkeypatch.setenv("CHANNEL_URL", "json://127.0.0.1:9/hook-1234567")
    paste(client, connections.save("shop", "http", {"url": "http://127.0.0.1:9"}, {}, written={"token": "SHOP_TOKEN"}))
    assert services.connections.get("shop").secrets == {"token": "${secret.SHOP_TOKEN}"}
    paste(client, channels.save("team", ["run_failed"], tags=["ml"]))
    paste(client, channels.switch("team", on=False))
    paste(client, channels.save("crew", ["quarantine"], url=False, stored="team"))
    assert services.notifications.get("crew").events == ["quarantine"]
    paste(client, channels.delete("crew"))
    paste(client, connections.delete("shop"))
    paste(client, connections.delete_secret("SHOP_TOKEN"))


def test_the_installation(client: TestClient, services: Services, paste: Callable[..., None], tmp_path: Path) -> None:
    paste(client, settings.change({"environment_name": "Test", "run_retention_days": 9.0}))
    assert services.settings.get().run_retention_days == 9
    paste(client, settings.look("dark", ""))
    paste(client, settings.free_now())
    paste(client, system.create_indexes())
    paste(client, system.doctor())
    paste(client, system.pack(runs=True))
    paste(client, system.unpack(dry_run=True))
    paste(client, connections.save("inbox", "folder", {"path": str(tmp_path)}, {}))
    paste(client, connections.test("inbox"))
    (tmp_path / "rows.csv").write_text("id\n1\n1\n")
    paste(client, validations.run(str(tmp_path / "rows.csv"), [{"rule": "unique", "column": "id"}]))
    paste(client, validations.delete([services.validations.list().items[0].id]))
    one = services.experiments.create("going").id
    paste(client, experiments.cancel(one))
    paste(client, experiments.delete([one]))


def test_where_one_signs_in_the_key_comes_along(
    client_of: Callable[[Role | None], TestClient], guarded: Services, paste: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    anybody = client_of(None)
    with pytest.raises(Exception, match="401 Unauthorized"):
        paste(anybody, pipelines.new("small"))
    monkeypatch.setenv("ETLML_API_KEY", guarded.api_keys.create("mine", role="editor")[1])
    paste(anybody, pipelines.new("small"), signed_in=True)
    assert list(guarded.pipelines.names()) == ["small"]


@pytest.fixture
def served(guarded: Services) -> Iterator[str]:
    """Where a real server is, which asks for a key."""
    server = uvicorn.Server(uvicorn.Config(create_app(guarded), port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/api"
    server.should_exit = True
    thread.join()


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs curl and bash")
def test_curl_does_it_on_several_at_once(served: str, guarded: Services, tmp_path: Path) -> None:
    environment = {"ETLML_API_KEY": guarded.api_keys.create("mine", role="admin")[1], "SECRET_TOKEN": "swordfish $1"}

    def curl(action: Action) -> None:
        line = copy_as.shown(action, served, signed_in=True)["curl"]
        script = f"set -e\ncurl() {{ command curl -sS --fail-with-body --noproxy '*' \"$@\"; }}\n{line}"
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    curl(pipelines.new("one small"))
    curl(pipelines.copy("one small", "two"))
    curl(pipelines.pause(["one small", "two"]))
    assert all(guarded.pipelines.get(name).options.paused for name in guarded.pipelines.names())
    curl(connections.set_secret("token"))
    curl(pipelines.export("two"))
    curl(system.pack())
    curl(system.unpack(replace=True, dry_run=True))
    curl(pipelines.delete(["one small", "two"]))
    assert guarded.pipelines.names() == {}
