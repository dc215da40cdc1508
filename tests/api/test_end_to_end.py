"""A pipeline from its YAML to its rows and its model, over REST alone, with a real worker."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from etlml.engine.engine import Engine
from etlml.services import Services

YAML = """
name: ends
params: {least: 3}
steps:
  - {id: rows, type: extract, config: {source: {kind: file, path: rows.csv}}}
  - {id: kept, type: transform, config: {ops: [{op: filter, where: "x >= ${params.least}"}]}}
  - {id: saved, type: load, config: {sink: {kind: file, path: out.parquet}, mode: overwrite}}
  - {id: model, type: train, needs: [kept], config: {target: y, algorithm: decision_tree_classifier, register_as: ends}}
"""
IS_YAML = {"Content-Type": "application/yaml"}
FINAL = {"success", "failed", "cancelled"}


@pytest.fixture
def worker(services: Services) -> Iterator[Engine]:
    """A worker of this process."""
    lines = [f"{n},{'high' if n % 7 > 3 else 'low'},{n % 7},1" for n in range(300)]
    (services.environment.data_dir / "rows.csv").write_text("\n".join(["x,y,z,same", *lines]) + "\n")
    engine = Engine(services.environment, services.store)
    engine.start()
    yield engine
    engine.stop()


def ended(client: TestClient, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        run: dict[str, Any] = client.get(f"/api/runs/{run_id}").json()
        if run["status"] in FINAL:
            return run
        time.sleep(0.05)
    raise AssertionError(f"the run is still {run['status']}")


@pytest.mark.slow
def test_pipeline_runs_to_rows_and_a_model_that_predicts(client: TestClient, worker: Engine) -> None:
    assert client.post("/api/pipelines", content=YAML, headers=IS_YAML).status_code == 201
    run = ended(client, client.post("/api/pipelines/ends/run", json={"params": {"least": 10}}).json()["id"])
    assert run["status"] == "success", run["error"]
    assert [step["rows_out"] for step in run["steps"]] == [300, 290, 290, 290]
    rows = client.get(f"/api/runs/{run['id']}/steps/kept/preview?limit=2").json()
    assert (rows["total"], rows["rows"][0]) == (290, {"x": 10, "y": "low", "z": 3, "same": 1})
    fused = client.get(f"/api/runs/{run['id']}/steps/rows/preview?limit=2").json()
    assert (fused["total"], len(fused["rows"]), fused["basis"]) == (300, 2, "Computed again from the same sources.")
    predicted = client.post(
        "/api/models/ends/predict", json={"rows": [{"x": 20, "z": 6, "same": 1}, {"x": 21, "z": 0, "same": 1}]}
    ).json()
    assert (predicted["version"], predicted["predictions"]) == ("v1.0", ["high", "low"])
    experiment = client.get(f"/api/experiments?run_id={run['id']}").json()["items"][0]
    assert (experiment["status"], experiment["model_name"]) == ("completed", "ends")
    assert client.get("/api/stats").json()["runs"]["success_rate"] == 1.0


@pytest.mark.slow
def test_step_that_failed_is_mended_and_the_run_goes_on_from_there(client: TestClient, worker: Engine) -> None:
    client.post("/api/pipelines", content=YAML.replace("target: y", "target: same"), headers=IS_YAML)
    failed = ended(client, client.post("/api/pipelines/ends/run").json()["id"])
    assert (failed["status"], failed["error"]["step"]) == ("failed", "model")
    assert client.put("/api/pipelines/ends", content=YAML, headers=IS_YAML).status_code == 200
    retried = client.post(f"/api/runs/{failed['id']}/retry").json()
    assert [step["status"] for step in retried["steps"]] == ["cached", "cached", "cached", "pending"]
    again = ended(client, retried["id"])
    assert (again["status"], again["steps"][2]["finished_at"]) == ("success", failed["steps"][2]["finished_at"])
