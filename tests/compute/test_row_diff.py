"""Rows of two files, matched by key."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from etlml.compute.row_diff import ColumnDifference, diff_files, suggested_keys, write_diff
from etlml.errors import ColumnMissing, InvalidInput

ORDERS = "SELECT * FROM (VALUES (1, 'ann', 2.0), (2, 'bob', NULL), (3, NULL, 4.0), (4, 'dan', 5.0)) t(id, name, price)"


def file_of(folder: Path, name: str, query: str) -> Path:
    path = folder / f"{name}.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    return file_of(tmp_path, "orders", ORDERS)


def test_equal_files_do_not_differ(orders: Path) -> None:
    found = diff_files(orders, orders)
    assert found.is_same
    assert (found.keys, found.same, found.rows) == (("id",), 4, ())


def test_rows_are_added_removed_and_changed_by_key(orders: Path, tmp_path: Path) -> None:
    later = file_of(
        tmp_path,
        "later",
        "SELECT * FROM (VALUES (1, 'ann', 2.5), (2, 'bob', NULL), (3, 'cy', 4.0), (9, 'eve', 1.0)) t(id, name, price)",
    )
    found = diff_files(orders, later, keys=["id"])
    assert (found.added, found.removed, found.changed, found.same) == (1, 1, 2, 1)
    assert found.changes == {"name": 1, "price": 1}
    assert [(row.kind, row.key["id"], row.columns) for row in found.rows] == [
        ("changed", 1, ("price",)),
        ("changed", 3, ("name",)),
        ("removed", 4, ()),
        ("added", 9, ()),
    ]
    assert found.rows[1].before == {"name": None, "price": 4.0}
    assert found.rows[1].after == {"name": "cy", "price": 4.0}


def test_a_missing_key_matches_a_missing_key(tmp_path: Path) -> None:
    files = [
        file_of(tmp_path, str(price), f"SELECT * FROM (VALUES (NULL, {price}), (1, 1)) t(k, price)") for price in (7, 8)
    ]
    found = diff_files(*files, keys=["k"])
    assert (found.added, found.removed, found.changed, found.same) == (0, 0, 1, 1)


def test_keys_that_repeat_are_refused_with_their_number(orders: Path, tmp_path: Path) -> None:
    doubled = file_of(tmp_path, "doubled", f"{ORDERS} UNION ALL SELECT 1, 'ann', 3.0")
    with pytest.raises(InvalidInput, match=r"'id' cannot tell .* later result apart: 1 value stands in 2 rows"):
        diff_files(orders, doubled, keys=["id"])


def test_without_a_unique_column_a_pair_is_found(tmp_path: Path) -> None:
    grid = file_of(tmp_path, "grid", "SELECT i // 30 AS day, i % 30 AS hour, i % 3 AS load FROM range(900) t(i)")
    assert suggested_keys(grid, grid) == ["day", "hour"]


def test_rows_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    same = file_of(tmp_path, "same", "SELECT 1 AS a, 2 AS b FROM range(50)")
    with pytest.raises(InvalidInput, match="Choose the key columns"):
        diff_files(same, same)


def test_columns_and_types_that_differ_are_told(orders: Path, tmp_path: Path) -> None:
    later = file_of(tmp_path, "later", f"SELECT id::VARCHAR AS id, name, 1 AS stock FROM ({ORDERS})")
    found = diff_files(orders, later)
    assert found.columns == (
        ColumnDifference("id", "INTEGER", "VARCHAR"),
        ColumnDifference("price", "DECIMAL(2,1)", None),
        ColumnDifference("stock", None, "INTEGER"),
    )
    assert (found.same, found.changed, found.is_same) == (4, 0, False)


def test_a_key_that_a_side_lacks_is_named(orders: Path) -> None:
    with pytest.raises(ColumnMissing, match="idd"):
        diff_files(orders, orders, keys=["idd"])


def test_an_empty_side_is_all_added(orders: Path, tmp_path: Path) -> None:
    empty = file_of(tmp_path, "empty", f"SELECT * FROM ({ORDERS}) WHERE id > 9")
    assert diff_files(empty, orders).added == 4
    assert diff_files(orders, empty).removed == 4


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_row_that_differs_is_written(orders: Path, tmp_path: Path, ending: str) -> None:
    later = file_of(tmp_path, "later", f"SELECT * REPLACE (price + id % 2 AS price) FROM ({ORDERS})")
    target = tmp_path / f"diff.{ending}"
    write_diff(orders, later, target, keys=["id"])
    if ending == "csv":
        assert target.read_text().splitlines()[:2] == [
            "difference,id,name before,name after,price before,price after",
            "changed,1,ann,ann,2.0,3.0",
        ]
    else:
        assert pq.read_table(target).num_rows == 2
