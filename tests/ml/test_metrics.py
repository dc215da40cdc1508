"""Our metrics, held against scikit-learn's of the same names."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from etlml.ml import metrics as ours


@pytest.fixture(params=[2, 3, 7])
def answers(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Actual classes, predicted ones, and probabilities with many ties."""
    random = np.random.default_rng(request.param)
    actual = random.integers(0, request.param, 500)
    raw = random.random((500, request.param)) + 0.8 * np.eye(request.param)[actual]
    probabilities = np.round(raw / raw.sum(axis=1, keepdims=True), 1)
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    return actual, probabilities.argmax(axis=1), probabilities


class TestClassification:
    def test_scores_agree(self, answers: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        actual, predicted, probabilities = answers
        classes = probabilities.shape[1]
        confusion = ours.confusion_matrix(actual, predicted, classes)
        assert np.array_equal(confusion, theirs.confusion_matrix(actual, predicted))
        average = "binary" if classes == 2 else "macro"
        found = ours.classification_metrics(confusion)
        assert found == pytest.approx(
            {
                "accuracy": theirs.accuracy_score(actual, predicted),
                "balanced_accuracy": theirs.balanced_accuracy_score(actual, predicted),
                "precision": theirs.precision_score(actual, predicted, average=average),
                "recall": theirs.recall_score(actual, predicted, average=average),
                "f1_score": theirs.f1_score(actual, predicted, average=average),
            }
        )

    def test_probability_scores_agree(self, answers: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        actual, _, probabilities = answers
        binary = probabilities.shape[1] == 2
        area = theirs.roc_auc_score(actual, probabilities[:, 1] if binary else probabilities, multi_class="ovr")
        loss = theirs.log_loss(actual, np.clip(probabilities, 1e-15, 1))
        assert ours.probability_metrics(actual, probabilities) == pytest.approx(
            {"roc_auc": area, "log_loss": loss}, rel=1e-6
        )

    def test_a_class_that_is_never_predicted_has_precision_0(self) -> None:
        found = ours.class_scores(np.array([[5, 0], [3, 0]]))
        assert found["precision"].tolist() == [0.625, 0]
        assert found["f1_score"][1] == 0

    def test_one_class_alone_has_no_roc_auc(self) -> None:
        assert ours.roc_auc(np.array([True, True]), np.array([0.1, 0.2])) is None
        assert "roc_auc" not in ours.probability_metrics(np.array([1, 1]), np.array([[0.4, 0.6], [0.1, 0.9]]))


class TestRegression:
    def test_scores_agree(self) -> None:
        random = np.random.default_rng(0)
        actual = random.normal(5, 1, 200)
        predicted = actual + random.normal(0, 0.3, 200)
        assert ours.regression_metrics(actual, predicted) == pytest.approx(
            {
                "r2": theirs.r2_score(actual, predicted),
                "mae": theirs.mean_absolute_error(actual, predicted),
                "rmse": theirs.root_mean_squared_error(actual, predicted),
                "median_absolute_error": theirs.median_absolute_error(actual, predicted),
                "mape": theirs.mean_absolute_percentage_error(actual, predicted),
            }
        )

    def test_equal_values_have_no_r2(self) -> None:
        assert "r2" not in ours.regression_metrics(np.array([2.0, 2.0]), np.array([2.0, 3.0]))


class TestClustering:
    def test_scores_agree_where_all_rows_fit_into_the_sample(self) -> None:
        random = np.random.default_rng(0)
        labels = random.integers(0, 3, 200)
        rows = random.normal(size=(200, 2)) + labels[:, None]
        found = ours.clustering_metrics(rows, labels, 0)
        assert found["silhouette"] == pytest.approx(theirs.silhouette_score(rows, labels))
        assert found["clusters"] == 3

    def test_noise_is_counted_and_one_cluster_has_no_silhouette(self) -> None:
        found = ours.clustering_metrics(np.zeros((4, 1)), np.array([0, 0, -1, 0]), 0)
        assert found == {"clusters": 1.0, "noise_fraction": 0.25}
