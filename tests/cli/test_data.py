"""validate, train, models and predict."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from etlml.cli.session import services
from tests.cli.conftest import Etlml


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    rows = "".join(f"{n},{20 + n % 50},{'tall' if n % 2 else 'small'}\n" for n in range(60))
    path.write_text(f"id,age,size\n{rows}")
    return path


def rules(tmp_path: Path, *found: dict[str, object]) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(list(found)))
    return path


def test_validate_says_what_holds(etlml: Etlml, people: Path, tmp_path: Path) -> None:
    done = etlml("validate", people, "--rules", rules(tmp_path, {"rule": "unique", "column": "id"}))
    assert done.code == 0
    assert done.out.splitlines()[1:] == ["unique\tid\terror\tok\t0 of 60", "people.csv: passed, score 100.0%, 60 rows"]


@pytest.mark.parametrize(("severity", "code"), [("error", 1), ("warning", 0)])
def test_validate_fails_by_severity(etlml: Etlml, people: Path, tmp_path: Path, severity: str, code: int) -> None:
    broken = rules(tmp_path, {"rule": "between", "column": "age", "max": 30, "severity": severity})
    done = etlml("validate", people, "--rules", broken, "--json")
    assert done.code == code
    assert done.json["rules"][0]["success"] is False


def test_validate_refuses_rules_that_cannot_be_used(etlml: Etlml, people: Path, tmp_path: Path) -> None:
    done = etlml("validate", people, "--rules", rules(tmp_path, {"rule": "unique", "column": "ids"}))
    assert (done.code, "Did you mean 'id'?" in done.err) == (2, True)
    (tmp_path / "rules.yaml").write_text("just text")
    assert etlml("validate", people, "--rules", tmp_path / "rules.yaml").code == 2


def test_validate_keeps_the_outcome_when_asked(etlml: Etlml, people: Path, tmp_path: Path) -> None:
    from etlml.cli.session import services

    etlml("validate", people, "--rules", rules(tmp_path, {"rule": "unique", "column": "id"}), "--save")
    with services() as opened:
        assert [each.dataset for each in opened.validations.list().items] == ["people.csv"]


@pytest.mark.slow
def test_train_then_predict(etlml: Etlml, people: Path, tmp_path: Path) -> None:
    trained = etlml(
        "train", people, "--target", "size", "--algorithm", "decision_tree_classifier", "--param", "max_depth=3",
        "--features", "age", "--register-as", "sizes",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    assert "accuracy" in trained.out
    assert "Registered as sizes v1.0" in trained.out
    assert etlml("models", "--json").json[0]["parameters"]["max_depth"] == 3
    assert etlml("models").out.splitlines()[1].startswith("sizes\tv1.0\tregistered")

    printed = list(csv.DictReader(etlml("predict", "sizes", people).out.splitlines()))
    assert len(printed) == 60
    assert set(printed[0]) == {"id", "age", "size", "prediction", "probability_small", "probability_tall"}
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        wrote = etlml("predict", "sizes", people, "-o", tmp_path / name)
        assert (wrote.code, "Wrote 60 rows" in wrote.err) == (0, True)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 60
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 60
    assert len(list(tmp_path.glob(".*partial"))) == 0


def test_predict_refuses_before_it_works(etlml: Etlml, people: Path, tmp_path: Path) -> None:
    assert etlml("predict", "no-model", people).code == 2
    bad = etlml("predict", "no-model", people, "-o", tmp_path / "out.doc")
    assert (bad.code, ".csv, .jsonl, .parquet" in bad.err) == (2, True)
    assert etlml("predict", "no-model", people, "-o", tmp_path / "no" / "out.csv").code == 2


def test_experiments_are_ranked_by_a_metric(etlml: Etlml) -> None:
    with services() as opened:
        for name, value in (("weak", 0.6), ("strong", 0.9), ("newest", 0.1)):
            opened.experiments.complete(opened.experiments.create(name).id, metrics={"accuracy": value})
    assert etlml("experiments", "--json").json[0]["name"] == "newest"
    assert etlml("experiments", "--best", "accuracy", "--json").json[0]["name"] == "strong"
    assert "No experiment has the metric 'f2'" in etlml("experiments", "--best", "f2").err


@pytest.mark.slow
def test_an_experiment_is_shown_stopped_and_its_model_changed(etlml: Etlml, people: Path, tmp_path: Path) -> None:
    from etlml.cli.session import services

    with services() as opened:
        going = opened.experiments.create("going").id
    assert etlml("experiments", going, "--cancel").json["status"] == "cancelled"
    trained = etlml("train", people, "--target", "size", "--param", "n_estimators=3", "--json").json["experiment"]["id"]
    assert "Registered as sizes v1.0" in etlml("experiments", trained, "--register-as", "sizes").err
    changed = etlml("models", "sizes", "v1.0", "--status", "deployed", "--alias", "live", "--description", "good").json
    assert (changed["status"], changed["aliases"], changed["description"]) == ("deployed", ["live"], "good")
    assert etlml("models", "sizes", "v1.0", "--alias", "").json["aliases"] == []
    assert etlml("models", "sizes", "--status", "archived").code == 2
    assert etlml("delete", "experiment", trained, going).code == 0


def test_validate_takes_rules_written_out(etlml: Etlml, people: Path) -> None:
    assert etlml("validate", people, "--rules", "[{rule: row_count_between, min: 1}]").code == 0


def test_no_models_say_how_to_make_one(etlml: Etlml) -> None:
    assert "register_as" in etlml("models").err
    assert etlml("models", "--json").json == []
