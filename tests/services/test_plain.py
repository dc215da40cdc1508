"""What may be stored."""

from typing import Any

import pytest

from etlml.errors import InvalidInput
from etlml.services.plain import DEEPEST, checked_plain


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_json_passes_unchanged() -> None:
    value = {"a": [1, 2.5, None, True, "é", {"b": -(2**63)}], "$c.d": 2**63 - 1}
    assert checked_plain(value) is value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 2**63}, "The document.a holds an integer beyond 64 bits"),
        ({"a": float("nan")}, "holds nan, which is no JSON number"),
        ({"a": float("inf")}, "holds inf"),
        ({"a": "\ud800"}, "half of a surrogate pair"),
        ({"\ud800": 1}, "half of a surrogate pair"),
        ({"a\0": 1}, "a key that holds a NUL"),
        ({True: 1}, "the key True, which is bool, not text. Put quotes around it"),
        (nested(DEEPEST + 1), "nests deeper than 40 levels"),
    ],
)
def test_what_mongodb_cannot_keep_is_refused(value: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        checked_plain(value)
