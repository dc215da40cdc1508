"""Runs looked at together, over REST."""

from fastapi.testclient import TestClient

from etlml.documents import Run
from etlml.engine.fingerprints import step_key
from etlml.services import Services
from etlml.steps.check import typed_steps
from etlml.steps.templating import References
from tests.services.factories import a_document
from tests.services.test_comparing import NEW, OLD, a_run


def test_two_runs_are_compared_and_their_rows_downloaded(client: TestClient, services: Services) -> None:
    one, two = (a_run(services, "p", 1, rows, least) for rows, least in ((OLD, 1), (NEW, 2)))
    found = client.get(f"/api/runs/{one.id}/compare/{two.id}").json()
    assert (found["params"][0]["path"], found["versions_known"]) == ("least", False)
    assert client.get(f"/api/runs/last-success/compare/{two.id}").json()["before"]["id"] == one.id
    steps = f"/api/runs/{one.id}/compare/{two.id}/steps/kept"
    rows = client.get(f"{steps}?keys=id&limit=1").json()
    assert (rows["added"], rows["removed"], rows["changed"], len(rows["rows"])) == (1, 1, 1, 1)
    refused = client.get(f"{steps}?keys=nothing")
    assert (refused.status_code, refused.json()["error"]["type"]) == (422, "ColumnMissing")
    file = client.get(f"{steps}/rows?format=csv")
    assert file.text.splitlines()[0] == "difference,id,x before,x after"
    assert "attachment" in file.headers["content-disposition"]
    whole = client.get(f"/api/runs/{one.id}/steps/kept/rows?format=parquet")
    assert whole.content[:4] == b"PAR1"
    assert client.get(f"/api/runs/{one.id}/steps/kept/rows").text.splitlines() == ["id,x", "1,a", "2,b", "3,c"]


def test_rows_that_were_not_kept_are_computed_again_or_refused(client: TestClient, services: Services) -> None:
    source = services.environment.data_dir / "rows.csv"
    source.write_text("id,x\n1,1.5\n2,4\n")
    document = a_document()
    document["steps"][0]["config"] = {"source": {"kind": "file", "path": "rows.csv"}}
    pipeline = services.pipelines.create(document)
    run = a_run(services, pipeline.id, 1, OLD, 1)
    steps = f"/api/runs/{run.id}/steps/rows"
    refused = client.get(f"{steps}/preview")
    assert (refused.status_code, refused.json()["error"]["details"]["cause"]) == (409, "rows")
    assert client.get(f"{steps}/rows").status_code == 409
    (checked,) = typed_steps(pipeline.steps[:1], References())
    fingerprint = checked.config.fingerprint(services.environment.data_dir)
    key = step_key(checked, References(), (), fingerprint or "")
    services.store.runs.update(run.id, {"steps.0.cache_key": key})
    found = client.get(f"{steps}/preview?limit=1").json()
    assert found["rows"] == [{"id": 1, "x": 1.5}]
    assert (found["total"], found["basis"]) == (2, "Computed again from the same sources.")
    assert client.get(f"{steps}/rows").text.splitlines() == ["id,x", "1,1.5", "2,4.0"]


def test_runs_are_counted_by_day_and_laid_out_as_a_grid(client: TestClient, services: Services) -> None:
    services.store.runs.put(Run(id="r", pipeline_id="p", status="success", duration_s=1.5))
    (day,) = client.get("/api/runs/by-day?timezone=Europe/Berlin").json()
    assert (day["status"], day["runs"]) == ("success", 1)
    assert client.get("/api/runs/by-day?timezone=nowhere").status_code == 422
    assert client.get("/api/runs/grid?pipeline=p").json()["runs"][0]["id"] == "r"
    assert client.get("/api/runs/longest").json()[0]["id"] == "r"


def test_runs_are_listed_by_backfill_and_in_either_order(client: TestClient, services: Services) -> None:
    for number in range(2):
        services.store.runs.put(Run(id=f"b{number}", pipeline_id="p", backfill_id="b", duration_s=1.0 + number))
    services.store.runs.put(Run(id="other", pipeline_id="p", duration_s=9.0))
    found = client.get("/api/runs?backfill=b&oldest_first=true").json()["items"]
    assert [run["id"] for run in found] == ["b0", "b1"]
    assert [run["id"] for run in client.get("/api/runs/longest?shortest=true&backfill=b").json()] == ["b0", "b1"]
