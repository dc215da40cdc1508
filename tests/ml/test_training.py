"""Whole trainings on small tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io

from etlml.errors import ColumnMissing, ConfigInvalid, DataUnreadable, TrainingFailed
from etlml.ml import model_file
from etlml.ml.algorithms import known_algorithms
from etlml.ml.features import read_columns
from etlml.ml.record import fingerprint_of
from etlml.ml.training import train
from tests.ml.conftest import FEATURES, Trainer, a_frame

pytestmark = pytest.mark.slow

UNFIT_FOR_THE_TABLE = {  # with their defaults; they say so
    "CCA": "n_components",
    "IsotonicRegression": "1 feature",
    "PLSCanonical": "n_components",
    "QuadraticDiscriminantAnalysis": "not full rank",
    "RadiusNeighborsClassifier": "No neighbors",
}
ONE_OF_EACH_FAMILY = {  # the others are left to the whole suite
    "DBSCAN",
    "DecisionTreeClassifier",
    "GaussianNB",
    "HistGradientBoostingRegressor",
    "KMeans",
    "KNeighborsRegressor",
    "LinearDiscriminantAnalysis",
    "LogisticRegression",
    "PLSRegression",
    "RandomForestRegressor",
    "Ridge",
    "SVC",
}
TARGETS = {"classification": "label", "regression": "amount", "clustering": None}
STANDING_ALONE = [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in ONE_OF_EACH_FAMILY | UNFIT_FOR_THE_TABLE.keys()))
    for name, one in known_algorithms().items()
    if all(one.defaults.values()) and name != "SelfTrainingClassifier"
]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", STANDING_ALONE)
def test_every_algorithm_trains_and_is_stored_safely_or_says_what_it_needs(
    name: str, trained: Trainer, tmp_path: Path
) -> None:
    target = TARGETS[known_algorithms()[name].task]
    data = a_frame(120)
    if name in UNFIT_FOR_THE_TABLE:
        with pytest.raises(TrainingFailed, match=UNFIT_FOR_THE_TABLE[name]):
            trained(name, target, data)
        return
    outcome = trained(name, target, data)
    json.dumps(outcome, allow_nan=False)
    assert outcome["algorithm"] == name
    assert outcome["metrics"] or name == "RadiusNeighborsRegressor"
    file = Path(outcome["model_file"])
    assert set(skops.io.get_untrusted_types(file=file)) <= set(model_file.TRUSTED)
    model_file.load(file, sha256=outcome["model_sha256"])


class TestOutcome:
    def test_a_classification_has_its_metrics_and_artifacts(self, trained: Trainer) -> None:
        outcome = trained("random_forest_classifier", "label", parameters={"n_estimators": 20})
        metrics, artifacts = outcome["metrics"], outcome["artifacts"]
        assert {
            "accuracy",
            "balanced_accuracy",
            "precision",
            "recall",
            "f1_score",
            "roc_auc",
            "log_loss",
        } <= metrics.keys()
        assert metrics["accuracy"] > 0.8
        assert metrics["train_accuracy"] > metrics["accuracy"] - 0.1
        assert artifacts["confusion_matrix"]["classes"] == ["no", "yes"]
        assert np.sum(artifacts["confusion_matrix"]["counts"]) == artifacts["rows"]["judged"] == 60
        assert len(artifacts["roc_curve"]["true_positive_rate"]) <= 100
        assert artifacts["importances"][0]["feature"] == "a"
        assert sum(one["importance"] for one in artifacts["importances"]) == pytest.approx(1, abs=1e-4)
        assert {one["feature"] for one in artifacts["importances"]} == set(FEATURES)
        assert {one["class"] for one in artifacts["target_distribution"]} == {"no", "yes"}
        assert outcome["environment"].keys() >= {"python", "scikit-learn", "skops"}
        assert outcome["data"]["rows"] == 300
        assert outcome["data"]["fingerprint"].startswith("sha256:")

    def test_a_regression_has_its_metrics_and_artifacts(self, trained: Trainer) -> None:
        outcome = trained("linear_regression", "amount")
        assert outcome["metrics"]["r2"] > 0.95
        assert {"mae", "rmse", "train_r2"} <= outcome["metrics"].keys()
        assert len(outcome["artifacts"]["predictions"]["rows"]) == 60
        assert sum(outcome["artifacts"]["residuals"]["counts"]) == 60

    def test_a_clustering_uses_all_rows_and_counts_its_clusters(self, trained: Trainer) -> None:
        outcome = trained("k_means", parameters={"n_clusters": 3})
        assert outcome["metrics"]["clusters"] == 3
        assert "silhouette" in outcome["metrics"]
        assert sum(one["rows"] for one in outcome["artifacts"]["clusters"]) == 300

    def test_the_signature_names_inputs_and_classes(self, trained: Trainer) -> None:
        signature = trained("logistic_regression", "three")["signature"]
        assert [one["name"] for one in signature["inputs"]] == FEATURES
        kind = signature["inputs"][2]
        assert (kind["name"], kind["type"], kind["categories"]) == ("kind", "text", ["blue", "green", "red"])
        assert kind["example"] in kind["categories"]
        assert signature["output"] == {"name": "three", "type": "text", "classes": ["high", "low", "middle"]}

    @pytest.mark.parametrize(
        "name", ["random_forest_classifier", "hist_gradient_boosting_classifier", "logistic_regression"]
    )
    def test_the_same_seed_gives_the_same_metrics(self, trained: Trainer, name: str) -> None:
        first, again, other = (trained(name, "label", seed=seed)["metrics"] for seed in (3, 3, 4))
        assert first == again
        assert first != other

    def test_the_order_of_the_rows_does_not_matter(self, trained: Trainer, frame: pd.DataFrame) -> None:
        shuffled = frame.sample(frac=1, random_state=3)
        first, again = (trained("random_forest_classifier", "label", rows)["metrics"] for rows in (frame, shuffled))
        assert first == again

    @pytest.mark.parametrize(
        ("values", "classes"),
        [([True, False], [False, True]), ([2, 1], [1, 2]), ([1.0, 0.0], [0, 1]), (["b", "a"], ["a", "b"])],
    )
    def test_classes_keep_their_type(
        self, trained: Trainer, frame: pd.DataFrame, values: list[Any], classes: list[Any]
    ) -> None:
        frame["label"] = np.where(frame["label"] == "yes", *np.array(values, dtype=object))
        frame["label"] = frame["label"].astype(type(values[0]))
        outcome = trained("decision_tree_classifier", "label")
        assert outcome["signature"]["output"]["classes"] == classes
        assert [type(one) for one in outcome["signature"]["output"]["classes"]] == [type(one) for one in classes]


class TestProgress:
    def test_a_forest_tells_its_accuracy_while_it_grows(self, trained: Trainer, messages: list[dict[str, Any]]) -> None:
        trained("random_forest_classifier", "label", parameters={"n_estimators": 40})
        points = [one["point"] for one in messages if "point" in one and one["point"]["key"] == "validation_accuracy"]
        assert len(points) >= 2
        assert points[-1]["step"] == 40

    @pytest.mark.parametrize("name", ["random_forest_classifier", "extra_trees_regressor", "random_forest_regressor"])
    def test_growing_in_chunks_gives_the_very_forest_of_one_fit(
        self, trained: Trainer, name: str, tmp_path: Path
    ) -> None:
        target = TARGETS[known_algorithms()["".join(part.title() for part in name.split("_"))].task]
        outcome = trained(name, target, parameters={"n_estimators": 23}, features=["a", "b"], test_size=0.3)
        pipeline = model_file.load(Path(outcome["model_file"])).pipeline
        frame = read_columns(tmp_path / "rows.parquet", ["a", "b", target]).to_pandas()
        whole = type(pipeline[-1])(**(pipeline[-1].get_params() | {"n_estimators": 23}))
        chunked = pipeline[-1]
        assert chunked.get_params()["warm_start"] is False
        matrix, answers = _training_rows(frame, target, pipeline)
        assert whole.fit(matrix, answers).predict(matrix) == pytest.approx(chunked.predict(matrix))
        assert all(
            np.array_equal(one.tree_.threshold, other.tree_.threshold)
            for one, other in zip(whole.estimators_, chunked.estimators_, strict=True)
        )

    @pytest.mark.parametrize(
        ("name", "target", "key"),
        [
            ("gradient_boosting_classifier", "label", "train_loss"),
            ("hist_gradient_boosting_classifier", "label", "validation_accuracy"),
            ("ada_boost_regressor", "amount", "validation_r2"),
            ("gradient_boosting_regressor", "amount", "validation_r2"),
        ],
    )
    def test_boosting_tells_its_scores_by_round(
        self, trained: Trainer, messages: list[dict[str, Any]], name: str, target: str, key: str
    ) -> None:
        trained(name, target)
        points = [one["point"] for one in messages if "point" in one and one["point"]["key"] == key]
        assert len(points) >= 2
        assert len(points) <= 25

    @pytest.mark.filterwarnings("ignore")
    def test_a_neural_network_tells_its_loss_by_epoch(self, trained: Trainer, messages: list[dict[str, Any]]) -> None:
        outcome = trained("mlp_classifier", "label", parameters={"max_iter": 5, "hidden_layer_sizes": [4]})
        assert [one["point"]["step"] for one in messages if one.get("point", {}).get("key") == "train_loss"] == [
            1,
            2,
            3,
            4,
            5,
        ]
        assert outcome["artifacts"]["warnings"][0].startswith("ConvergenceWarning")
        assert any(one.get("log") == "WARNING" for one in messages)

    def test_others_give_a_learning_curve(self, trained: Trainer, messages: list[dict[str, Any]]) -> None:
        trained("logistic_regression", "label", a_frame(2_000))
        steps = [one["point"]["step"] for one in messages if one.get("point", {}).get("key") == "validation_accuracy"]
        assert steps[:1] == [250]

    def test_folds_give_a_point_each_and_mean_and_spread(
        self, trained: Trainer, messages: list[dict[str, Any]]
    ) -> None:
        outcome = trained("decision_tree_classifier", "label", cv=4)
        points = [one["point"] for one in messages if one.get("point", {}).get("key") == "cv_accuracy"]
        assert [point["step"] for point in points] == [1, 2, 3, 4]
        values = [point["value"] for point in points]
        assert outcome["metrics"]["cv_accuracy_mean"] == pytest.approx(np.mean(values))
        assert outcome["metrics"]["cv_accuracy_std"] == pytest.approx(np.std(values))


class TestChoices:
    def test_features_default_to_all_that_can_help_and_the_log_names_the_others(
        self, trained: Trainer, frame: pd.DataFrame, messages: list[dict[str, Any]]
    ) -> None:
        frame["id"] = range(len(frame))
        frame["order_id"] = range(7, 7 + len(frame))
        frame["code"] = [f"code {number}" for number in range(len(frame))]
        frame["same"] = 1
        frame["nothing"] = None
        frame["nothing"] = frame["nothing"].astype("float64")
        frame["many"] = [[1, 2]] * len(frame)
        outcome = trained("decision_tree_classifier", "label", frame.drop(columns=["three", "amount"]), features=None)
        assert [one["name"] for one in outcome["artifacts"]["features"]] == FEATURES
        left_out = {one["column"]: one["reason"] for one in outcome["artifacts"]["left_out"]}
        assert left_out.keys() == {"id", "order_id", "code", "same", "nothing", "many"}
        assert "identifier" in left_out["order_id"]
        assert sum("is left out" in one.get("message", "") for one in messages) == 6

    def test_rows_without_a_target_are_left_out_and_counted(
        self, trained: Trainer, frame: pd.DataFrame, messages: list[dict[str, Any]]
    ) -> None:
        frame.loc[:49, "label"] = None
        outcome = trained("decision_tree_classifier", "label")
        assert outcome["artifacts"]["rows"] == {
            "total": 300,
            "without_target": 50,
            "train": 200,
            "test": 50,
            "judged": 50,
        }
        assert any("Left out 50 of 300 rows, without a value of 'label'" in one.get("message", "") for one in messages)

    def test_a_class_with_one_row_is_told_and_learned_from(
        self, trained: Trainer, frame: pd.DataFrame, messages: list[dict[str, Any]]
    ) -> None:
        frame.loc[0, "label"] = "only one"
        outcome = trained("decision_tree_classifier", "label")
        assert "only one" in outcome["signature"]["output"]["classes"]
        assert any("single row" in one.get("message", "") for one in messages)

    def test_class_weights_name_the_classes(self, trained: Trainer) -> None:
        heavy = trained("logistic_regression", "label", parameters={"class_weight": {"yes": 50, "no": 1}})
        assert heavy["metrics"]["recall"] > 0.95
        with pytest.raises(TrainingFailed, match="which is no class of 'label'"):
            trained("logistic_regression", "label", parameters={"class_weight": {"maybe": 2}})


class TestRefusals:
    def test_a_target_that_is_missing_gets_the_nearest(self, trained: Trainer) -> None:
        with pytest.raises(ColumnMissing, match="Did you mean 'label'"):
            trained("svc", "labels")

    def test_a_feature_that_is_missing_gets_the_nearest(self, trained: Trainer) -> None:
        with pytest.raises(ColumnMissing, match="Did you mean 'place'"):
            trained("svc", "label", features=["a", "plcae"])

    @pytest.mark.parametrize(("target", "value"), [("label", "yes"), ("amount", 1.0)])
    def test_a_constant_target_is_refused(self, trained: Trainer, frame: pd.DataFrame, target: str, value: Any) -> None:
        frame[target] = value
        name = "random_forest_classifier" if target == "label" else "random_forest_regressor"
        with pytest.raises(TrainingFailed, match="the same value in every row"):
            trained(name, target)

    def test_a_target_without_values_is_refused(self, trained: Trainer, frame: pd.DataFrame) -> None:
        frame["label"] = pd.Series([None] * len(frame), dtype="str")
        with pytest.raises(TrainingFailed, match="all 300 rows are null"):
            trained("svc", "label")

    def test_too_few_rows_are_refused(self, trained: Trainer) -> None:
        with pytest.raises(TrainingFailed, match="9 rows with a target are too few"):
            trained("svc", "label", a_frame(9))

    def test_a_quantity_is_no_class(self, trained: Trainer) -> None:
        with pytest.raises(TrainingFailed, match=r"looks like a quantity.*'random_forest_regressor'"):
            trained("random_forest_classifier", "amount")

    def test_a_text_is_no_quantity(self, trained: Trainer) -> None:
        with pytest.raises(TrainingFailed, match=r"holds text values.*'random_forest_classifier'"):
            trained("random_forest_regressor", "label")

    def test_no_usable_feature_is_refused_with_the_reasons(self, trained: Trainer, frame: pd.DataFrame) -> None:
        frame["a"] = 1
        with pytest.raises(TrainingFailed, match="a: it has the same value in every row"):
            trained("svc", "label", features=["a"])

    def test_a_bad_value_of_a_parameter_is_refused_with_its_reason(self, trained: Trainer) -> None:
        with pytest.raises(TrainingFailed, match=r"'n_estimators' parameter .* must be an int .* Got -5"):
            trained("random_forest_classifier", "label", parameters={"n_estimators": -5})

    def test_an_unknown_parameter_is_refused(self, trained: Trainer) -> None:
        with pytest.raises(ConfigInvalid, match="Did you mean 'n_estimators'"):
            trained("random_forest_classifier", "label", parameters={"n_estimator": 5})

    def test_no_file_and_no_parquet_are_refused(self, tmp_path: Path) -> None:
        options: dict[str, Any] = {
            "algorithm": "svc",
            "target": "y",
            "model_file": str(tmp_path / "m"),
            "report": print,
        }
        with pytest.raises(DataUnreadable, match=r"There is no file gone\.parquet"):
            train(path=str(tmp_path / "gone.parquet"), **options)
        (tmp_path / "text.parquet").write_text("not at all")
        with pytest.raises(DataUnreadable, match="cannot be read as Parquet"):
            train(path=str(tmp_path / "text.parquet"), **options)

    def test_a_failed_training_leaves_no_model_file(self, trained: Trainer, tmp_path: Path) -> None:
        with pytest.raises(TrainingFailed):
            trained("poisson_regressor", "amount", a_frame().assign(amount=lambda data: -data["amount"]))
        assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_the_fingerprint_of_a_large_file_is_that_of_its_footer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_frame(50).to_parquet(tmp_path / "one.parquet")
    a_frame(50, seed=1).to_parquet(tmp_path / "other.parquet")
    monkeypatch.setattr("etlml.ml.record.WHOLE_FILE", 0)
    one, other = fingerprint_of(tmp_path / "one.parquet"), fingerprint_of(tmp_path / "other.parquet")
    assert one.startswith("sha256-footer:")
    assert one != other
    assert one == fingerprint_of(tmp_path / "one.parquet")


def _training_rows(frame: pd.DataFrame, target: str | None, pipeline: Any) -> tuple[Any, Any]:
    from etlml.ml.splitting import split

    codes = (frame[target] == "yes").to_numpy().astype(int) if target == "label" else None
    rows, _ = split(len(frame), 0.3, 0, codes)
    return pipeline[0].transform(frame)[rows], (codes if codes is not None else frame[target].to_numpy())[rows]
