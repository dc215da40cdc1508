"""Changes of fields in words."""

from typing import Any

import pytest

from etlml.services.version_diff import FieldChange, differences
from etlml.services.version_words import field_words, shown


def op(kind: str, **fields: Any) -> dict[str, Any]:
    """A step's configuration whose second op is of that kind."""
    return {"config": {"ops": [{"op": "limit", "rows": 5}, {"op": kind, **fields}]}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (FieldChange("schedule", None, "@daily"), "Schedule: changed from nothing to @daily"),
        (FieldChange("cache", True, False), "Use an unchanged result: changed from yes to no"),
        (FieldChange("needs", ["a"], []), "Inputs: changed from a to nothing"),
        (FieldChange("params.x.y", 1.5, None, "removed"), "Parameter x.y: removed, it was 1.5"),
        (FieldChange("config.parameters.max_depth", None, 3, "added"), "Parameter max_depth: added 3"),
        (FieldChange("config.source.path", "a.csv", "b.csv"), "Source › path: changed from a.csv to b.csv"),
        (FieldChange("config.ops[0].where", "x", "y"), "Op 1 › where: changed from x to y"),
        (FieldChange("options.missed_limit", 10, 20), "Options › missed limit: changed from 10 to 20"),
    ],
)
def test_a_change_is_one_line(change: FieldChange, words: str) -> None:
    assert field_words(change) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            op("derive", columns={"late": "x > 15"}),
            op("derive", columns={"late": "x > 20"}),
            "Op 2 (derive) › late: formula changed from x > 15 to x > 20",
        ),
        (
            op("cast", columns={"a.b[0]": "int"}),
            op("cast", columns={"a.b[0]": "float"}),
            "Op 2 (cast) › a.b[0]: type changed from int to float",
        ),
        (
            op("derive", columns={}),
            op("derive", columns={"late": "x"}),
            "Op 2 (derive) › late: formula added, x",
        ),
        (
            op("filter", where="x > 1"),
            op("filter", where="x > 2"),
            "Op 2 (filter) › where: changed from x > 1 to x > 2",
        ),
        (op("drop", columns=["a"]), op("drop", columns=["b"]), "Op 2 (drop) › columns: changed from a to b"),
        ({"config": {"ops": []}}, {"config": {"ops": [{"op": "limit", "rows": 5}]}}, "Op 1 (limit): added rows: 5"),
        (
            {"validations": [{"rule": "not_null", "column": "a"}]},
            {"validations": []},
            "Check 1 (not null): removed, it was column: a",
        ),
        (
            op("limit", rows=1),
            op("sample", rows=1),
            "Op 2 (sample): changed from op: limit, rows: 1 to op: sample, rows: 1",
        ),
    ],
)
def test_an_item_of_a_list_is_called_by_its_place_and_kind(before: Any, after: Any, words: str) -> None:
    assert [field_words(change) for change in differences("", before, after)] == [words]


def test_long_values_are_cut() -> None:
    value: Any = "x" * 200
    assert len(shown(value, 50)) == 50
