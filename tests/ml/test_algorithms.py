"""The catalogue of algorithms, held against scikit-learn itself."""

import inspect
import subprocess
import sys

import pytest
from sklearn.utils import all_estimators

from etlml.errors import ConfigInvalid
from etlml.ml.algorithms import algorithm, check_parameters, check_task, known_algorithms, snake_case

NOT_FOR_ONE_TARGET = {"MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"}


@pytest.mark.filterwarnings("ignore::FutureWarning")
class TestCatalogue:
    @pytest.mark.parametrize(
        ("task", "filter_", "more"),
        [
            ("classification", "classifier", set()),
            ("regression", "regressor", set()),
            ("clustering", "cluster", {"GaussianMixture", "BayesianGaussianMixture"}),
        ],
    )
    def test_it_holds_what_scikit_learn_lists(self, task: str, filter_: str, more: set[str]) -> None:
        listed = {name for name, _ in all_estimators(filter_)} - NOT_FOR_ONE_TARGET - {"FeatureAgglomeration"}
        assert {name for name, found in known_algorithms().items() if found.task == task} == listed | more

    def test_parameters_are_those_of_the_signatures(self) -> None:
        classes = dict(all_estimators())
        for name, found in known_algorithms().items():
            signature = inspect.signature(classes[name].__init__).parameters.values()
            named = {
                one.name: one.default is not one.empty
                for one in signature
                if one.name != "self" and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
            }
            assert dict(found.defaults) == named, name

    def test_it_gives_the_class_itself(self) -> None:
        for name, class_ in all_estimators("classifier"):
            assert known_algorithms()[name].estimator_class is class_

    def test_it_is_read_without_importing_scikit_learn(self) -> None:
        code = (
            "import sys; from etlml.ml.algorithms import algorithm; "
            "algorithm('svc').defaults; print('sklearn' in sys.modules, 'numpy' in sys.modules)"
        )
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert shown.split() == ["False", "False"]


class TestNames:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ("RandomForestClassifier", "RandomForestClassifier"),
            ("random_forest_classifier", "RandomForestClassifier"),
            ("k_means", "KMeans"),
            ("KMeans", "KMeans"),
            ("svc", "SVC"),
            ("sgd_classifier", "SGDClassifier"),
            ("hist_gradient_boosting_regressor", "HistGradientBoostingRegressor"),
        ],
    )
    def test_class_names_and_snake_case_are_understood(self, written: str, name: str) -> None:
        assert algorithm(written).name == name

    def test_snake_case_of_every_name_leads_back_to_it(self) -> None:
        for name in known_algorithms():
            if all(known_algorithms()[name].defaults.values()) and name != "SelfTrainingClassifier":
                assert algorithm(snake_case(name)).name == name

    def test_an_unknown_name_gets_the_nearest(self) -> None:
        with pytest.raises(ConfigInvalid, match="Did you mean 'random_forest_classifier'"):
            algorithm("random_forrest_clasifier")
        with pytest.raises(ConfigInvalid, match=r"Some of \d+ known"):
            algorithm("xgboost")

    @pytest.mark.parametrize("name", ["voting_classifier", "self_training_classifier", "ClassifierChain"])
    def test_wrappers_of_other_estimators_are_refused(self, name: str) -> None:
        with pytest.raises(ConfigInvalid, match="wraps other estimators"):
            algorithm(name)


class TestChecks:
    def test_an_unknown_parameter_gets_the_nearest(self) -> None:
        with pytest.raises(ConfigInvalid, match="Did you mean 'n_estimators'") as caught:
            check_parameters(algorithm("random_forest_classifier"), {"n_estimator": 3})
        assert caught.value.details["field"] == "parameters.n_estimator"

    def test_another_task_gets_the_algorithm_of_that_task(self) -> None:
        with pytest.raises(ConfigInvalid, match="Use 'random_forest_regressor'"):
            check_task(algorithm("random_forest_classifier"), "regression")
        with pytest.raises(ConfigInvalid, match="Choose one for clustering"):
            check_task(algorithm("svc"), "clustering")
        check_task(algorithm("svc"), "classification")
