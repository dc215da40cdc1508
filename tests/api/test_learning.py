"""Experiments, models and validations over REST."""

import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fastapi.testclient import TestClient

from etlml.ml.training import train
from etlml.services import Services

RULES = [{"rule": "not_null", "column": "a"}, {"rule": "between", "column": "a", "min": 0, "severity": "warning"}]


class TestExperiments:
    """Recorded from outside."""

    def test_goes_from_running_to_completed_with_its_metrics(self, client: TestClient) -> None:
        created = client.post("/api/experiments", json={"name": "mine", "parameters": {"depth": 3}, "tags": ["t"]})
        assert (created.status_code, created.json()["status"]) == (201, "running")
        url = created.headers["Location"]
        points = [{"key": "loss/train", "value": 1 / (step + 1), "step": step} for step in range(3)]
        assert client.post(f"{url}/metrics", json={"points": points}).json() == {"recorded": 3}
        assert client.get(f"{url}/metrics").json() == ["loss/train"]
        assert [point["value"] for point in client.get(f"{url}/metrics/loss/train").json()] == [1.0, 0.5, 1 / 3]
        done = client.post(f"{url}/complete", json={"metrics": {"accuracy": 0.9, "auc": None}}).json()
        assert (done["status"], done["metrics"]) == ("completed", {"accuracy": 0.9, "auc": None})
        assert client.post(f"{url}/metrics", json={"points": points}).status_code == 409
        assert client.post(f"{url}/complete").status_code == 409
        assert client.delete(url).status_code == 204
        assert client.get(f"{url}/metrics").status_code == 404

    def test_running_one_is_cancelled_before_it_is_deleted(self, client: TestClient) -> None:
        url = client.post("/api/experiments", json={"name": "mine"}).headers["Location"]
        assert client.delete(url).status_code == 409
        assert client.post(f"{url}/cancel").json()["status"] == "cancelled"
        assert client.delete(url).status_code == 204

    def test_filters(self, client: TestClient) -> None:
        for project in ("a", "b"):
            client.post("/api/experiments", json={"name": f"in {project}", "project": project})
        found = client.get("/api/experiments?project=b&status=running&q=IN").json()["items"]
        assert [item["name"] for item in found] == ["in b"]

    def test_are_ranked_by_a_metric(self, client: TestClient) -> None:
        for value in (0.6, 0.9):
            url = client.post("/api/experiments", json={"name": "mine"}).headers["Location"]
            client.post(f"{url}/complete", json={"metrics": {"accuracy": value, "log_loss": value}})
        for metric, best in (("accuracy", 0.9), ("log_loss", 0.6)):
            found = client.get(f"/api/experiments?best={metric}").json()["items"]
            assert found[0]["metrics"][metric] == best

    @pytest.mark.parametrize("value", ["1", None, True])
    def test_value_that_is_no_number_is_refused(self, client: TestClient, value: Any) -> None:
        url = client.post("/api/experiments", json={"name": "mine"}).headers["Location"]
        response = client.post(f"{url}/complete", json={"metrics": {"a": value}})
        assert response.status_code == (200 if value is None else 422)


@pytest.fixture
def model_file(services: Services, tmp_path: Path) -> Path:
    """A model that tells whether x is above 5."""
    data, file = tmp_path / "data.parquet", services.environment.models_dir / "mine.skops"
    duckdb.sql(
        "SELECT range % 10 AS x, CASE WHEN range % 10 > 5 THEN 'high' ELSE 'low' END AS y FROM range(200)"
    ).write_parquet(str(data))
    train(path=str(data), algorithm="decision_tree_classifier", target="y", model_file=str(file), report=lambda _: None)
    return file


@pytest.mark.slow
class TestModels:
    """Registered, deployed, called."""

    @pytest.fixture
    def url(self, client: TestClient, model_file: Path) -> str:
        experiment = client.post("/api/experiments", json={"name": "e", "parameters": {"algorithm": "tree"}}).headers[
            "Location"
        ]
        client.post(
            f"{experiment}/complete", json={"metrics": {"accuracy": 1.0}, "artifacts": {"task": "classification"}}
        )
        body = {"name": "high-or-low", "model_file": "models/mine.skops"}
        created = client.post(f"{experiment}/register", json=body)
        assert (created.status_code, created.json()["version"]) == (201, "v1.0")
        assert client.get(experiment).json()["model_version"] == "v1.0"
        assert client.post(f"{experiment}/register", json=body).json()["id"] == created.json()["id"]
        return str(created.headers["Location"])

    def test_version_is_deployed_under_an_alias(self, client: TestClient, url: str) -> None:
        changed = client.patch(url, json={"status": "deployed", "aliases": ["production"], "description": "d"}).json()
        assert (changed["status"], changed["aliases"], changed["description"]) == ("deployed", ["production"], "d")
        assert client.get("/api/models/high-or-low/versions/production").json()["version"] == "v1.0"
        assert client.patch(url, json={"aliases": ["v9.9"]}).status_code == 422
        assert client.get("/api/models/high-or-lo").json()["error"]["message"].endswith("Did you mean 'high-or-low'?")
        assert [item["name"] for item in client.get("/api/models?status=deployed").json()["items"]] == ["high-or-low"]

    def test_predicts_rows_and_columns(self, client: TestClient, url: str) -> None:
        by_row = client.post("/api/models/high-or-low/predict", json={"rows": [{"x": 1}, {"x": 9}]}).json()
        assert (by_row["predictions"], by_row["version"]) == (["low", "high"], "v1.0")
        assert by_row["probabilities"][1] == {"high": 1.0, "low": 0.0}
        by_column = client.post(
            "/api/models/high-or-low/predict", json={"data": {"x": [1, 9]}, "version": "v1.0"}
        ).json()
        assert by_column["predictions"] == ["low", "high"]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"rows": [{"z": 1}]}, "no column 'x'"),
            ({"rows": [{"x": "many"}]}, "x"),
            ({"rows": []}, "no rows"),
            ({"data": {"x": [1], "w": [1, 2]}}, "different lengths (x: 1, w: 2)"),
            ({}, "give either rows"),
            ({"rows": [{"x": 1}], "version": "v2.0"}, "v2.0"),
        ],
    )
    def test_rows_that_cannot_be_predicted_are_refused(
        self, client: TestClient, url: str, body: dict[str, Any], message: str
    ) -> None:
        response = client.post("/api/models/high-or-low/predict", json=body)
        assert response.status_code in (404, 422)
        assert message in response.json()["error"]["message"]

    def test_file_outside_of_the_home_is_refused(self, client: TestClient, services: Services) -> None:
        experiment = client.post("/api/experiments", json={"name": "e"}).headers["Location"]
        client.post(f"{experiment}/complete")
        for path in ("/etc/passwd", "../../etc/passwd", "models/gone.skops", "a\0b"):
            response = client.post(f"{experiment}/register", json={"name": "m", "model_file": path})
            assert response.status_code == 422, path

    def test_model_whose_file_is_gone_says_so(self, client: TestClient, url: str, model_file: Path) -> None:
        model_file.unlink()
        response = client.post("/api/models/high-or-low/predict", json={"rows": [{"x": 1}]})
        assert response.status_code == 422
        assert "is gone" in response.json()["error"]["message"]


class TestValidations:
    """Checks of any data."""

    def test_data_in_the_body(self, client: TestClient) -> None:
        found = client.post(
            "/api/validations/run", json={"data": {"a": [1, None, -1]}, "rules": RULES, "name": "n"}
        ).json()
        assert (found["status"], found["row_count"], found["name"]) == ("failed", 3, "n")
        assert [rule["failed"] for rule in found["rules"]] == [1, 1]
        assert client.get(f"/api/validations/{found['id']}").json() == found
        assert client.get("/api/validations?status=failed").json()["items"] == [found]
        assert client.delete(f"/api/validations/{found['id']}").status_code == 204

    def test_file_and_table(self, client: TestClient, services: Services) -> None:
        folder = services.environment.data_dir
        (folder / "a.csv").write_text("a\n1\n2\n")
        found = client.post("/api/validations/run", json={"path": "a.csv", "rules": RULES, "save": False}).json()
        assert (found["status"], found["dataset"], found["row_count"]) == ("passed", "a.csv", 2)
        database = sqlite3.connect(folder / "shop.db")
        with database:
            database.execute("CREATE TABLE orders (a INTEGER)")
            database.execute("INSERT INTO orders VALUES (1), (NULL)")
        database.close()
        client.post("/api/connections", json={"name": "shop", "kind": "sqlite", "config": {"path": "shop.db"}})
        body = {"connection": "shop", "table": "orders", "rules": RULES}
        found = client.post("/api/validations/run", json=body).json()
        assert (found["status"], found["name"], found["row_count"]) == ("failed", "orders", 2)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"path": "gone.csv", "rules": RULES}, "gone.csv"),
            ({"data": {"b": [1]}, "rules": RULES}, "no column 'a'"),
            ({"data": {"a": [1]}, "rules": [{"rule": "notnull", "column": "a"}]}, "not_null"),
            ({"data": {"a": [1]}, "rules": []}, "rules"),
            ({"rules": RULES}, "give one of data"),
            ({"connection": "shop", "rules": RULES}, "belong together"),
            ({"data": {"a": [1], "b": [1, 2]}, "rules": RULES}, ""),
        ],
    )
    def test_what_cannot_be_checked_is_refused(self, client: TestClient, body: dict[str, Any], message: str) -> None:
        response = client.post("/api/validations/run", json=body)
        assert response.status_code == 422
        assert message in response.json()["error"]["message"]
