"""The child's side of a python op, called directly."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etlml.errors import PythonFailed
from etlml.steps.python_child import transform_parquet

TABLE = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int32()),
        "big": pa.array([2**60 + 1, None, 3], pa.int64()),
        "s": ["a", None, "c"],
        "x": pa.array([0.5, None, 2.0]),
        "t": pa.array([0, 1, None], pa.timestamp("us", tz="UTC")),
        "l": pa.array([[1], [], None]),
    }
)


def transformed(tmp_path: Path, body: str, table: pa.Table = TABLE) -> pa.Table:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(table, source)
    transform_parquet(code=f"def transform(df):\n    {body}\n", source=str(source), target=str(target))
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
    return pq.read_table(target)


def test_table_that_is_given_back_untouched_keeps_types_and_values(tmp_path: Path) -> None:
    result = transformed(tmp_path, "return df")
    assert result.column("big").to_pylist() == [2**60 + 1, None, 3]
    assert result.column("n").to_pylist() == [1, None, 3]
    assert result.schema.field("n").type == pa.int32()
    assert result.column("x").to_pylist() == [0.5, None, 2.0]
    assert result.column("t").to_pylist() == TABLE.column("t").to_pylist()
    assert result.column("s").to_pylist() == ["a", None, "c"]
    assert result.column("l").to_pylist() == [[1], [], None]


def test_it_tells_when_the_code_begins(tmp_path: Path) -> None:
    source, told = tmp_path / "in.parquet", list[dict[str, Any]]()
    pq.write_table(TABLE, source)
    code = "raise ValueError('the code is loaded after it was told')"
    with pytest.raises(PythonFailed, match="after it was told"):
        transform_parquet(code=code, source=str(source), target=str(tmp_path / "out"), report=told.append)
    assert told == [{"begun": os.getpid()}]


def test_column_that_became_fractional_stays_so(tmp_path: Path) -> None:
    assert transformed(tmp_path, "df['n'] = df.n / 2; return df").column("n").to_pylist() == [0.5, None, 1.5]


def test_pandas_and_numpy_are_there_and_the_namespace_is_fresh(tmp_path: Path) -> None:
    body = "assert '_seen' not in globals(); globals()['_seen'] = 1; return pd.DataFrame({'a': np.arange(2)})"
    for _ in range(2):
        assert transformed(tmp_path, body).to_pylist() == [{"a": 0}, {"a": 1}]


def test_named_index_becomes_columns_and_a_series_a_table(tmp_path: Path) -> None:
    assert transformed(tmp_path, "return df.groupby('s').x.sum()").column_names == ["s", "x"]
    assert transformed(tmp_path, "return df[df.n > 1]").num_rows == 1
    assert transformed(tmp_path, "return df[['n']].rename(columns={'n': 5})").column_names == ["5"]


def test_no_rows_are_fine(tmp_path: Path) -> None:
    assert transformed(tmp_path, "return df.iloc[:0]").num_rows == 0
    assert transformed(tmp_path, "return df", TABLE.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("pass", "gave back NoneType, not a DataFrame. End the function with: return df"),
        ("return [1]", "gave back list, not a DataFrame"),
        ("return df[[]]", "gave back no columns"),
        ("return df.rename(columns={'n': 'S'})", "two columns 'S' and 's'"),
        ("return df.pivot_table(index='s', columns='n', values=['x', 'big'])", "several levels"),
        ("return pd.DataFrame({'a': [1, 'x', object()]})", "Column 'a' of the returned DataFrame holds values"),
        ("return 1 / 0", "in line 2 (return 1 / 0): ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("return undefined", "NameError: name 'undefined' is not defined"),
        ("return df.groupby('s').agg(s=('x', 'sum'))", "two columns 's' and 's'"),
    ],
)
def test_what_is_no_table_is_refused_in_plain_words(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(PythonFailed) as caught:
        transformed(tmp_path, body)
    assert message in caught.value.message
    assert not (tmp_path / "out.parquet").exists()


def test_error_in_a_library_is_shown_at_the_users_line(tmp_path: Path) -> None:
    with pytest.raises(PythonFailed) as caught:
        transformed(tmp_path, "x = 1\n    return df.merge(df, on='nope')")
    details: dict[str, Any] = caught.value.details
    assert details["line"] == 3
    assert details["traceback"].count("File ") == 1
