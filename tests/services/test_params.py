"""What a run's parameters may be."""

from typing import Any

import pytest

from etlml.errors import ConfigInvalid, InvalidInput
from etlml.services.params import merged_params

DECLARED: dict[str, Any] = {"rows": 3, "share": 0.5, "name": "a", "on": True, "any": None, "columns": ["a"]}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"rows": 5}, 5),
        ({"rows": "5"}, 5),
        ({"rows": "2.5"}, 2.5),
        ({"share": "1"}, 1.0),
        ({"share": 1}, 1),
        ({"name": "b"}, "b"),
        ({"name": 7}, "7"),
        ({"on": "false"}, False),
        ({"on": False}, False),
        ({"any": [1]}, [1]),
        ({"any": "text"}, "text"),
        ({"rows": None}, None),
        ({"columns": ["b"]}, ["b"]),
    ],
)
def test_value_takes_the_declared_type(given: dict[str, Any], value: Any) -> None:
    (name,) = given
    assert merged_params(DECLARED, given) == DECLARED | {name: value}


@pytest.mark.parametrize(
    "given", [{"rows": "many"}, {"rows": True}, {"on": 1}, {"on": "yes"}, {"name": ["b"]}, {"columns": "b"}]
)
def test_value_of_another_kind_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigInvalid, match=r"Parameter '\w+' is .*, but its default .* is"):
        merged_params(DECLARED, given)


def test_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigInvalid, match=r"no parameter 'row'. Did you mean 'rows'"):
        merged_params(DECLARED, {"row": 1})


def test_value_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(InvalidInput, match="beyond 64 bits"):
        merged_params(DECLARED, {"any": 2**64})


def test_nothing_given_leaves_the_declared_ones() -> None:
    assert merged_params(DECLARED, None) == DECLARED
