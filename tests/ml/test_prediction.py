"""Answers of stored models."""

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from etlml.errors import ColumnMissing, DataUnreadable, InvalidInput, NotFound
from etlml.ml.prediction import load, predict_parquet
from tests.ml.conftest import Trainer, a_frame

pytestmark = pytest.mark.slow

ROW = {"a": 2.0, "b": None, "kind": "red", "place": "place 3", "at": "2024-03-01T12:00:00", "flag": True}


@pytest.fixture
def model(trained: Trainer) -> Path:
    return Path(trained("random_forest_classifier", "label", parameters={"n_estimators": 20})["model_file"])


class TestRows:
    def test_a_row_gets_a_class_and_probabilities(self, model: Path) -> None:
        given = load(model).predict([ROW, ROW | {"a": -2.0}])
        assert given.predictions == ["yes", "no"]
        assert given.probabilities is not None
        assert given.probabilities[0].keys() == {"no", "yes"}
        assert sum(given.probabilities[0].values()) == pytest.approx(1)
        assert given.warnings == []

    def test_a_regression_gives_numbers(self, trained: Trainer) -> None:
        predictor = load(Path(trained("linear_regression", "amount")["model_file"]))
        given = predictor.predict([ROW])
        assert given.predictions == [pytest.approx(16, abs=1)]
        assert given.probabilities is None

    def test_a_clustering_gives_the_number_of_a_cluster(self, trained: Trainer) -> None:
        predictor = load(Path(trained("k_means", parameters={"n_clusters": 3})["model_file"]))
        assert predictor.predict([ROW]).predictions[0] in (0, 1, 2)

    def test_birch_answers_by_its_centres(self, trained: Trainer, tmp_path: Path) -> None:
        predictor = load(Path(trained("birch", features=["a", "b"])["model_file"]))
        assert predictor.predict([{"a": 0.1, "b": 0.2}]).predictions[0] in (0, 1, 2)

    def test_a_clusterer_that_cannot_answer_says_so(self, trained: Trainer) -> None:
        file = trained("dbscan")["model_file"]
        with pytest.raises(InvalidInput, match="only groups the rows that it was trained on"):
            load(Path(file))

    @pytest.mark.parametrize(
        "name", ["k_neighbors_classifier", "svc", "hist_gradient_boosting_classifier", "gaussian_nb"]
    )
    def test_rows_and_tables_get_the_same_answers(self, trained: Trainer, name: str, tmp_path: Path) -> None:
        predictor = load(Path(trained(name, "label")["model_file"]))
        table = pq.read_table(tmp_path / "rows.parquet")
        rows = predictor.predict(table.to_pylist()).predictions
        assert rows == predictor.predict_table(table)[0].to_pylist()

    def test_unknown_categories_and_nulls_are_taken(self, model: Path) -> None:
        nothing = dict.fromkeys(ROW)
        assert len(load(model).predict([nothing, ROW | {"kind": "violet", "place": ""}]).predictions) == 2

    @pytest.mark.parametrize(
        "at", ["2024-03-01", date(2024, 3, 1), datetime(2024, 3, 1, tzinfo=UTC), "2024-03-01T01:00:00+01:00"]
    )
    def test_times_come_as_text_or_as_objects(self, model: Path, at: Any) -> None:
        plain = load(model).predict([ROW | {"at": "2024-03-01T00:00:00"}])
        assert load(model).predict([ROW | {"at": at}]).probabilities == plain.probabilities

    def test_no_rows_get_no_predictions(self, model: Path) -> None:
        assert load(model).predict([]).predictions == []

    def test_further_columns_are_left_aside_with_a_warning(self, model: Path) -> None:
        given = load(model).predict([ROW | {"colour": 1, "label": "yes"}])
        assert given.warnings == ["Column 'colour' is not a feature of the model and was left aside."]

    def test_a_missing_feature_is_refused_by_name(self, model: Path) -> None:
        lacking = {key: value for key, value in ROW.items() if key != "place"} | {"plase": "x"}
        with pytest.raises(ColumnMissing, match=r"no column 'place'\. Did you mean 'plase'"):
            load(model).predict([lacking])
        with pytest.raises(ColumnMissing, match="Row 2 has no column 'place'"):
            load(model).predict([ROW, lacking])

    @pytest.mark.parametrize(
        ("feature", "value", "wanted"),
        [
            ("a", "12", "a number"),
            ("kind", 3, "a text"),
            ("flag", "yes", "true or false"),
            ("at", "yesterday", "a time such as"),
            ("at", 12, "a time such as"),
            ("a", [1], "a number"),
        ],
    )
    def test_a_wrong_type_is_refused_with_the_row(self, model: Path, feature: str, value: Any, wanted: str) -> None:
        with pytest.raises(InvalidInput, match=f"Row 2: {feature} must be {wanted}"):
            load(model).predict([ROW, ROW | {feature: value}])

    def test_one_row_takes_less_than_20_ms_with_50_trees(self, trained: Trainer) -> None:
        file = trained("random_forest_classifier", "label", a_frame(3_000), parameters={"n_estimators": 50})[
            "model_file"
        ]
        predictor = load(Path(file))
        took = []
        for _ in range(20):
            started = time.perf_counter()
            predictor.predict([ROW])
            took.append(time.perf_counter() - started)
        assert min(took) < 0.02


class TestFiles:
    def test_a_model_stays_loaded_until_its_file_changes(self, model: Path, trained: Trainer) -> None:
        first = load(model)
        assert load(model) is first
        trained("decision_tree_classifier", "label", model_file=str(model))
        assert load(model) is not first

    def test_a_changed_file_is_refused(self, model: Path) -> None:
        with pytest.raises(DataUnreadable, match="was changed since the model was registered"):
            load(model, sha256="0" * 64)

    def test_no_file_is_not_found(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match=r"model file 'gone\.skops'"):
            load(tmp_path / "gone.skops")


class TestParquet:
    def test_predictions_are_a_further_column_of_the_rows(self, model: Path, tmp_path: Path) -> None:
        source, target = tmp_path / "rows.parquet", tmp_path / "out.parquet"
        told: list[dict[str, Any]] = []
        options = {"model_path": str(model), "source": str(source), "path": str(target)}
        done = predict_parquet(**options, into="guess", chances=True, report=told.append)
        assert done == {"rows": 300, "path": str(target)}
        rows, before = pd.read_parquet(target), pd.read_parquet(source)
        assert list(rows.columns) == [*before.columns, "guess", "guess_probability"]
        assert (rows["guess"] == rows["label"]).mean() > 0.9
        assert rows["guess_probability"].between(0.5, 1).all()
        assert told[-1]["point"]["value"] == 1.0

    def test_many_batches_give_the_rows_in_order(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("etlml.ml.prediction.BATCH_ROWS", 64)
        source, target = tmp_path / "rows.parquet", tmp_path / "out.parquet"
        predict_parquet(
            model_path=str(model), source=str(source), path=str(target), into="guess", report=lambda _: None
        )
        assert pd.read_parquet(target)["a"].equals(pd.read_parquet(source)["a"])

    def test_wrong_columns_are_refused_and_nothing_is_left(self, model: Path, tmp_path: Path) -> None:
        source = tmp_path / "wrong.parquet"
        a_frame().assign(a="text").to_parquet(source)
        with pytest.raises(InvalidInput, match="the model takes number values"):
            predict_parquet(
                model_path=str(model),
                source=str(source),
                path=str(tmp_path / "out.parquet"),
                into="guess",
                report=print,
            )
        assert not list(tmp_path.glob("*out.parquet*"))
