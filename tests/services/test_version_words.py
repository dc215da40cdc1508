"""Changes of fields in words."""

from typing import Any

import pytest

from etlml.services.version_diff import FieldChange
from etlml.services.version_words import field_words, shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (FieldChange("config.ops[1].where", "x > 1", "x > 2"), "ops[1].where: x > 1 -> x > 2"),
        (FieldChange("schedule", None, "@daily"), "schedule: nothing -> @daily"),
        (FieldChange("cache", True, False), "cache: yes -> no"),
        (FieldChange("config.ops[0]", None, {"op": "limit", "rows": 5}, "added"), "ops[0]: added op: limit, rows: 5"),
        (FieldChange("needs", ["a"], []), "needs: a -> nothing"),
        (FieldChange("params.x", 1.5, None, "removed"), "params.x: removed 1.5"),
    ],
)
def test_a_change_is_one_line(change: FieldChange, words: str) -> None:
    assert field_words(change) == words


def test_long_values_are_cut() -> None:
    value: Any = "x" * 200
    assert len(shown(value, 50)) == 50
