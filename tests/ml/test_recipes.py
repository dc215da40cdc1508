"""Recipes and how they are learned: tables of small examples."""

import numpy as np
import pyarrow as pa
import pytest

from etlml.ml.algorithms import algorithm
from etlml.ml.learning import Style, learn, style_of, target_matrix
from etlml.ml.recipes import LookupRecipe, NumberRecipe, OneHotRecipe, OrdinalRecipe, Recipes, TimeRecipe, time_part
from etlml.ml.values import Numbers, Texts, Times, kind_of, values_of

PLAIN = Style("none")
STANDARD = Style("standard")
NATIVE = Style("none", takes_missing=True, takes_categories=True)
NAN = float("nan")


def numbers(*items: float) -> Numbers:
    return Numbers(np.array(items))


def texts(*items: str | None) -> Texts:
    found = values_of(pa.array(items, pa.string()))
    assert isinstance(found, Texts)
    return found


class TestNumbers:
    def test_gaps_take_the_median_and_are_marked(self) -> None:
        learned = learn("x", numbers(1, NAN, 3, 100), None, PLAIN, 0)
        assert learned.block.tolist() == [[1, 0], [3, 1], [3, 0], [100, 0]]
        assert learned.recipe.outputs == ["x", "x is missing"]

    def test_scaling_gives_mean_0_and_deviation_1(self) -> None:
        block = learn("x", numbers(1, 2, 3, 4), None, STANDARD, 0).block
        assert block.mean() == pytest.approx(0)
        assert block.std() == pytest.approx(1)

    def test_unit_scaling_gives_0_to_1(self) -> None:
        assert learn("x", numbers(-2, 0, 2), None, Style("unit"), 0).block.ravel().tolist() == [0, 0.5, 1]

    def test_algorithms_that_take_gaps_get_them(self) -> None:
        block = learn("x", numbers(1, NAN), None, NATIVE, 0).block
        assert np.isnan(block).tolist() == [[False], [True]]

    def test_a_gap_that_training_never_saw_takes_the_median(self) -> None:
        recipe = learn("x", numbers(1, 2, 9), None, PLAIN, 0).recipe
        assert recipe.encode(numbers(NAN)).tolist() == [[2]]


class TestTexts:
    def test_few_categories_get_a_column_each_and_unknown_ones_none(self) -> None:
        recipe = learn("c", texts("a", "b", "a", "b", None), None, PLAIN, 0).recipe
        assert recipe.outputs == ["c = a", "c = b", "c = (missing)"]
        assert recipe.encode(texts("b", "new", None)).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]

    def test_rare_categories_share_a_column_which_unknown_ones_take(self) -> None:
        recipe = learn("c", texts(*["a"] * 50, *["b"] * 50, "x", "y"), None, PLAIN, 0).recipe
        assert isinstance(recipe, OneHotRecipe)
        assert recipe.categories == ["a", "b"]
        assert recipe.encode(texts("x", "new", None)).tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]

    def test_many_categories_are_encoded_by_the_target_smoothed(self) -> None:
        names = [f"c{number}" for number in range(30)]
        column = texts(*(names * 20))
        target = np.array([[1.0] if number == 0 else [0.0] for number in range(30)] * 20)
        recipe = learn("c", column, target, PLAIN, 0).recipe
        assert isinstance(recipe, LookupRecipe)
        high, low, unknown = recipe.encode(texts("c0", "c1", "never seen")).ravel()
        assert high == pytest.approx((20 + 10 / 30) / 30)
        assert low < unknown < high

    def test_training_rows_do_not_see_their_own_target(self) -> None:
        """Every category has one row, so what others know of it is nothing but the overall mean."""
        column = texts(*(f"c{number}" for number in range(200)))
        target = np.random.default_rng(0).integers(0, 2, (200, 1)).astype(float)
        block = learn("c", column, target, PLAIN, 0).block.ravel()
        assert abs(np.corrcoef(block, target.ravel())[0, 1]) < 0.05 or block.std() < 1e-12

    def test_many_categories_without_a_target_are_encoded_by_frequency(self) -> None:
        column = texts(*(["often"] * 60 + [f"c{number}" for number in range(40)]))
        recipe = learn("c", column, None, PLAIN, 0).recipe
        assert recipe.encode(texts("often", "c1", "never seen")).ravel().tolist() == pytest.approx([0.6, 0.01, 0])

    def test_algorithms_that_take_categories_get_their_numbers(self) -> None:
        recipe = learn("c", texts("b", "a", None), None, NATIVE, 0).recipe
        assert isinstance(recipe, OrdinalRecipe)
        assert np.array_equal(recipe.encode(texts("a", "b", "new", None)).ravel(), [0, 1, NAN, NAN], equal_nan=True)


class TestTimes:
    def test_a_time_becomes_its_parts(self) -> None:
        moment = np.array(["2024-02-29T13:45:00"], dtype="datetime64[us]")
        found = {part: time_part(moment, part)[0] for part in ("year", "month", "day", "weekday", "hour")}  # type: ignore[arg-type]
        assert found == {"year": 2024, "month": 2, "day": 29, "weekday": 3, "hour": 13}
        assert time_part(moment, "days")[0] == pytest.approx(19782 + (13 * 60 + 45) / 1440)

    def test_times_before_1970_are_right_too(self) -> None:
        moment = np.array(["1969-12-31T23:00:00"], dtype="datetime64[us]")
        assert time_part(moment, "hour")[0] == 23
        assert time_part(moment, "weekday")[0] == 2
        assert time_part(moment, "month")[0] == 12

    def test_parts_that_never_vary_are_left_out(self) -> None:
        days = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[us]")
        recipe = learn("t", Times(days), None, PLAIN, 0).recipe
        assert isinstance(recipe, TimeRecipe)
        assert recipe.parts == ["days", "day", "weekday"]

    def test_a_missing_time_takes_the_medians(self) -> None:
        days = np.array(["2024-01-01", "2024-01-03", "NaT"], dtype="datetime64[us]")
        assert not np.isnan(learn("t", Times(days), None, PLAIN, 0).block).any()
        assert np.isnan(learn("t", Times(days), None, NATIVE, 0).block[2]).all()


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (pa.int32(), "number"),
        (pa.float32(), "number"),
        (pa.decimal128(10, 2), "number"),
        (pa.duration("ms"), "number"),
        (pa.time64("us"), "number"),
        (pa.bool_(), "boolean"),
        (pa.large_string(), "text"),
        (pa.dictionary(pa.int32(), pa.string()), "text"),
        (pa.timestamp("ns", "UTC"), "datetime"),
        (pa.date32(), "datetime"),
        (pa.list_(pa.int32()), None),
        (pa.binary(), None),
    ],
)
def test_every_arrow_type_has_its_kind_and_can_be_read(type_: pa.DataType, kind: str | None) -> None:
    assert kind_of(type_) == kind
    if kind is not None:
        values_of(pa.chunked_array([pa.nulls(3, type_), pa.nulls(0, type_)]))


def test_decimals_durations_and_infinities_are_numbers() -> None:
    assert values_of(pa.array([90_500], pa.duration("ms"))).data.tolist() == [90.5]  # type: ignore[union-attr]
    found = values_of(pa.array([1.5, float("inf"), None]))
    assert isinstance(found, Numbers)
    assert np.array_equal(found.data, [1.5, NAN, NAN], equal_nan=True)


def test_recipes_come_back_from_json_equal() -> None:
    learned = [
        learn("x", numbers(1, NAN), None, STANDARD, 0).recipe,
        learn("c", texts("a", None), None, STANDARD, 0).recipe,
        learn("t", Times(np.array(["2024-01-01"], dtype="datetime64[us]")), None, STANDARD, 0).recipe,
        NumberRecipe(column="odd \" ' name"),
    ]
    assert Recipes.validate_json(Recipes.dump_json(learned)) == learned


@pytest.mark.parametrize(
    ("name", "scaling"),
    [("random_forest_classifier", "none"), ("svc", "standard"), ("multinomial_nb", "unit"), ("k_means", "standard")],
)
def test_only_algorithms_that_need_it_get_scaled_columns(name: str, scaling: str) -> None:
    assert style_of(algorithm(name)).scaling == scaling


def test_a_class_target_is_one_column_for_two_classes_one_each_for_a_few_and_none_for_many() -> None:
    codes = np.array([0, 1, 1])
    assert target_matrix(codes, 2).tolist() == [[0], [1], [1]]  # type: ignore[union-attr]
    assert target_matrix(codes, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]  # type: ignore[union-attr]
    assert target_matrix(codes, 50) is None
