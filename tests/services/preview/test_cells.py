"""Changed cells: which values an op sets to others, and which rows it leaves out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etlml.errors import InvalidInput
from etlml.services.preview import PreviewService
from etlml.services.preview import cells as cells_module
from etlml.services.preview.result import OpChange, Preview
from etlml.settings import get_settings

ROWS = [
    {"id": 1, "x": 1.5, "k": "a", "t": "7"},
    {"id": 2, "x": None, "k": "b", "t": "08"},
    {"id": 3, "x": 4.0, "k": "a", "t": "NA"},
    {"id": 4, "x": -2.0, "k": None, "t": "9"},
]


@pytest.fixture
def service(home: Path) -> Iterator[PreviewService]:
    made = PreviewService(get_settings())
    yield made
    made.close()


def previewed(service: PreviewService, *ops: dict[str, Any], changes_of: int | None = None) -> Preview:
    steps = [
        {"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": ROWS}}},
        {"id": "clean", "type": "transform", "config": {"ops": list(ops)}, "needs": ["rows"]},
    ]
    return service.of_step({"name": "p", "steps": steps}, "clean", changes_of=changes_of)


def cells(change: OpChange) -> dict[str, tuple[int, int, int]]:
    return {one.column: (one.changed, one.emptied, one.filled) for one in change.cells}


REPLACE = {"op": "replace", "column": "k", "values": {"a": "A"}}
FILL = {"op": "fill_null", "columns": {"x": 0, "k": "none"}}
CAST = {"op": "cast", "columns": {"t": "int", "x": "int", "id": "string"}, "on_error": "null"}


def test_changed_filled_and_emptied_values_are_counted(service: PreviewService) -> None:
    empty = {"op": "replace", "column": "k", "values": {"b": None}}
    found = previewed(service, REPLACE, empty, FILL).ops
    assert [cells(one) for one in found] == [{"k": (2, 0, 0)}, {"k": (1, 1, 0)}, {"x": (1, 0, 1), "k": (2, 0, 2)}]
    assert [one.compared for one in found] == [4, 4, 4]


def test_after_a_change_of_type_only_values_count_that_do_not_mean_the_same(service: PreviewService) -> None:
    (found,) = previewed(service, CAST).ops
    assert cells(found) == {"t": (1, 1, 0), "x": (1, 0, 0), "id": (0, 0, 0)}
    assert {(one.column, one.before, one.after) for one in found.retyped} >= {("t", "VARCHAR", "BIGINT")}


def test_ops_after_rows_were_left_out_are_compared_in_those_that_stayed(service: PreviewService) -> None:
    found = previewed(service, {"op": "filter", "where": "k = 'a'"}, REPLACE).ops
    assert (found[1].compared, cells(found[1])) == (2, {"k": (2, 0, 0)})


def test_each_of_several_layers_of_a_derive_is_compared_with_what_was_before_the_op(service: PreviewService) -> None:
    found = previewed(service, {"op": "derive", "columns": {"x": "x + 1", "y": "x", "id": "id"}}).ops
    assert cells(found[0]) == {"x": (3, 0, 0), "id": (0, 0, 0)}


def test_changed_rows_come_with_their_number_and_old_values(service: PreviewService) -> None:
    found = previewed(service, {"op": "drop_null", "columns": ["k"]}, FILL, REPLACE, changes_of=1)
    (row,) = found.changed_rows
    assert (row.row, row.gone, row.before, row.values["x"], row.values["id"]) == (2, False, {"x": None}, 0.0, 2)
    assert [one.at for one in found.ops] == [0, 1]


def test_an_op_that_is_not_there_is_refused_and_one_that_is_off_changed_nothing(service: PreviewService) -> None:
    with pytest.raises(InvalidInput, match="Step 'clean' has no op 2"):
        previewed(service, FILL, changes_of=1)
    found = previewed(service, FILL, {**REPLACE, "enabled": False}, changes_of=1)
    assert (found.changed_rows, [one.at for one in found.ops]) == ((), [0])


def test_rows_that_were_left_out_are_told(service: PreviewService) -> None:
    for op in ({"op": "drop_null"}, {"op": "filter", "where": "id IN (1, 3)"}):
        assert [(row.row, row.gone) for row in previewed(service, op, changes_of=0).changed_rows] == [
            (2, True),
            (4, True),
        ]
    dedupe = {"op": "dedupe", "keys": ["k"]}
    assert [row.values["id"] for row in previewed(service, dedupe, changes_of=0).changed_rows] == [3]


def test_a_new_name_is_neither_a_new_nor_a_lost_column(service: PreviewService) -> None:
    (found,) = previewed(service, {"op": "rename", "columns": {"x": "amount"}}).ops
    assert (found.renamed, found.added, found.removed) == ((("x", "amount"),), (), ())


def test_a_value_that_fails_and_is_not_needed_leaves_the_preview_as_it_is(service: PreviewService) -> None:
    found = previewed(service, {"op": "cast", "columns": {"t": "int"}}, {"op": "drop", "columns": ["t"]})
    assert (found.row_count, found.ops[0].cells) == (4, ())


def test_where_time_is_short_the_rows_come_first(service: PreviewService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "_LEAST_S", 1e9)
    found = previewed(service, REPLACE)
    assert (found.row_count, found.ops[0].cells) == (4, ())
    assert "no time left" in found.notes[0]
