"""The steps of a run as rows."""

from typing import Any

import pytest

from etlml.documents import StepRun
from etlml.ui import step_list


def cells(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = step_list.step_row(StepRun.model_validate({"id": "a", "type": "load", **fields}))["cells"]
    return found


@pytest.mark.parametrize(
    ("metrics", "note"),
    [
        ({"rows_written": 40, "path": "/home/ada/data/out/slow.parquet"}, "to slow.parquet"),
        ({"rows_written": 39, "path": "out/slow.parquet"}, "rows written 39, to slow.parquet"),
        ({"score": 0.935, "status": "warning"}, "score 93.5 %, status warning"),
        ({}, ""),
    ],
)
def test_a_note_tells_what_the_row_does_not_say_already(metrics: dict[str, Any], note: str) -> None:
    assert cells(rows_out=40, metrics=metrics)["name"]["sub"] == note


def test_nothing_kept_has_no_size() -> None:
    assert cells(bytes=0)["size"] == ""
