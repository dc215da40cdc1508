"""A pipeline's script and its lineage over REST."""

from fastapi.testclient import TestClient

from etlml.services import Services

STEPS = [
    {"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"n": 1}, {"n": 2}]}}},
    {"id": "more", "type": "transform", "config": {"ops": [{"op": "derive", "columns": {"twice": "n * 2"}}]}},
]


def test_a_script_comes_as_python(client: TestClient, services: Services) -> None:
    services.pipelines.create({"name": "p", "steps": STEPS})
    reply = client.get("/api/pipelines/p/script")
    assert reply.headers["content-type"].startswith("text/x-python")
    compile(reply.text, "p.py", "exec")
    assert client.get("/api/pipelines/none/script").status_code == 404


def test_lineage_comes_whole_or_for_one_column(client: TestClient, services: Services) -> None:
    services.pipelines.create({"name": "p", "steps": STEPS})
    whole = client.get("/api/pipelines/p/lineage").json()
    assert [step["id"] for step in whole["steps"]] == ["rows", "more"]
    one = client.get("/api/pipelines/p/lineage", params={"step": "more", "column": "twice"}).json()
    assert one["through"] == [{"step": "more", "column": "twice", "text": "n * 2"}]
    assert client.get("/api/pipelines/p/lineage?step=more").status_code == 422
    assert client.get("/api/pipelines/p/lineage?step=more&column=x").status_code == 422
