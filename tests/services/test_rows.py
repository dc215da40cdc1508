"""Rows as JSON."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest

from etlml.errors import DataUnreadable, EtlmlError, NotFound
from etlml.services.rows import json_value, parquet_page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (math.nan, None),
        (-math.inf, None),
        (Decimal("1.50"), 1.5),
        (Decimal("12345678901234567.89"), "12345678901234567.89"),
        (date(2013, 1, 2), "2013-01-02"),
        (time(1, 2), "01:02:00"),
        (datetime(2013, 1, 2, tzinfo=UTC), "2013-01-02T00:00:00+00:00"),
        (timedelta(minutes=1), 60.0),
        (b"\xff", "/w=="),
        ([1, math.nan], [1, None]),
        ({"a": date(2013, 1, 2)}, {"a": "2013-01-02"}),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_cell_becomes_json(value: Any, shown: Any) -> None:
    assert json_value(value) == shown
    json.dumps(json_value(value), allow_nan=False)


def test_page_of_a_file_has_columns_rows_and_total(tmp_path: Path) -> None:
    path = tmp_path / "a'b.parquet"
    duckdb.sql("SELECT range AS n, NULL::DATE AS d FROM range(10)").write_parquet(str(path))
    found = parquet_page(path, limit=2, offset=9)
    assert found == {
        "columns": [{"name": "n", "type": "BIGINT"}, {"name": "d", "type": "DATE"}],
        "rows": [{"n": 9, "d": None}],
        "total": 10,
    }


def test_file_that_is_gone_or_damaged_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        parquet_page(tmp_path / "gone.parquet")
    (tmp_path / "half.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises((DataUnreadable, EtlmlError)):
        parquet_page(tmp_path / "half.parquet")
