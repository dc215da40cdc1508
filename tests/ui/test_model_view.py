"""Models' inputs and how they are called."""

from typing import Any

import pytest

from etlml.documents import Model
from etlml.ui import model_view


def a_model(**column: Any) -> Model:
    return Model(name="m", version="v1.0", algorithm="Ridge", file_path="x", signature={"inputs": [column]})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ({"name": "a", "type": "number", "example": 2013}, 2013),
        ({"name": "a", "type": "number", "example": 0}, 0),
        ({"name": "a", "type": "text", "categories": ["a", "b"], "example": "b"}, "b"),
        ({"name": "a", "type": "text", "categories": ["a", "b"]}, "a"),
        ({"name": "a", "type": "number"}, 1.0),
        ({"name": "a", "type": "datetime"}, "2026-01-31T12:00:00"),
    ],
)
def test_an_example_is_typical_of_the_training_data_where_the_model_knows_it(
    column: dict[str, Any], value: Any
) -> None:
    model = a_model(**column)
    assert model_view.example(model_view.inputs(model)[0]) == value


def test_a_command_calls_the_model_with_typical_values() -> None:
    model = a_model(name="year", type="number", example=2013)
    assert model_view.example_row(model) == {"year": 2013}


def test_classes_are_told_as_the_prediction_is() -> None:
    assert [model_view.class_name(label, False) for label in ("True", "False")] == ["yes", "no"]
    assert model_view.class_name("True", "True") == "True"
    assert model_view.class_name("Adelie", "Gentoo") == "Adelie"
