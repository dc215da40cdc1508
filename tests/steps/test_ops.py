"""The transform ops against pandas, on small random tables; and what each refuses."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from etlml.compute.names import quoted
from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.errors import ColumnMissing, ConfigInvalid, EtlmlError, ExpressionInvalid, SqlRefused, StepError
from etlml.steps.ops import AnyOp
from etlml.steps.ops.base import applied, output_schema

ROWS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, None]),
        st.sampled_from(["a", "b", "c c", None]),
        st.one_of(st.none(), st.integers(-50, 50)),
        st.one_of(st.none(), st.integers(-8, 8).map(lambda number: number / 4)),
    ),
    max_size=12,
)
TYPES = pa.schema([("k", pa.int64()), ("g", pa.string()), ("v", pa.int64()), ("x", pa.float64())])
OTHER = pa.schema([("k", pa.int64()), ("v", pa.int64()), ("w", pa.string())])
OTHER_ROWS = st.lists(
    st.tuples(st.sampled_from([1, 2, 4, None]), st.integers(0, 9), st.sampled_from(["p", "q"])), max_size=6
)
anything = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
an_op: TypeAdapter[Any] = TypeAdapter(AnyOp)


class Bench:
    """Applies ops to tables in a real session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tables = 0

    def table(self, name: str, rows: list[Any], schema: pa.Schema = TYPES) -> Relation:
        arrays = [pa.array([row[index] for row in rows], field.type) for index, field in enumerate(schema)]
        self.tables += 1  # a new file each time: DuckDB caches what it read of one
        path = self.session.folder / f"{name}{self.tables}.parquet"
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)
        return self.session.attach(name, path)

    def result(self, op: dict[str, Any], table: Relation, **others: Relation) -> list[dict[str, Any]]:
        """The rows after one op; its columns are what the check foretold, and so are their types."""
        typed = an_op.validate_python(op)
        inputs = {table.name: table.schema, **{name: one.schema for name, one in others.items()}}
        foretold = output_schema(typed, table.schema, inputs)
        if typed.reads_rows:
            typed = typed.settled(self.session.rows, quoted(table.name), table.schema)
        sql, _ = applied(typed, quoted(table.name), table.schema, inputs)
        actual = self.session.schema_of(sql)
        assert foretold in (None, actual)
        return [dict(zip(actual.names, row, strict=True)) for row in self.session.rows(sql)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, Session(Path(folder), memory_bytes=2**28) as session:
        yield Bench(session)


def frame(rows: list[Any], schema: pa.Schema = TYPES) -> pd.DataFrame:
    """The same rows in pandas, whole numbers with gaps as such."""
    data = pd.DataFrame({field.name: [row[index] for row in rows] for index, field in enumerate(schema)}, dtype=object)
    kinds = {pa.int64(): "Int64", pa.float64(): "Float64", pa.string(): object}
    return data.astype({field.name: kinds[field.type] for field in schema})


def records(data: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries with None for what is missing."""
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()} for row in data.to_dict("records")
    ]


def unordered(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(
        repr([(key, float(v) if isinstance(v, int | float | np.number) else v) for key, v in row.items()])
        for row in rows
    )


def same(left: list[dict[str, Any]], right: list[dict[str, Any]], *, ordered: bool = True) -> None:
    if ordered:
        assert left == right
    else:
        assert unordered(left) == unordered(right)


@given(rows=ROWS)
@anything
def test_select_drop_and_rename_move_columns(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    same(bench.result({"op": "select", "columns": ["X", "k"]}, table), records(data[["x", "k"]]))
    same(bench.result({"op": "drop", "columns": ["g", "x"]}, table), records(data[["k", "v"]]))
    renamed = {"op": "rename", "columns": {"k": "v", "V": "k", "x": "two words"}}
    same(bench.result(renamed, table), records(data.rename(columns={"k": "v", "v": "k", "x": "two words"})))


@given(rows=ROWS)
@anything
def test_filter_and_drop_null_keep_the_right_rows_in_order(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    kept = data[(data.v > 0).fillna(False) | (data.g == "a")]
    same(bench.result({"op": "filter", "where": "v > 0 OR g = 'a'"}, table), records(kept))
    same(bench.result({"op": "drop_null", "columns": ["k", "x"]}, table), records(data.dropna(subset=["k", "x"])))
    same(bench.result({"op": "drop_null"}, table), records(data.dropna()))


@given(rows=ROWS)
@anything
def test_derive_uses_earlier_columns_of_the_same_op_and_replaces_in_place(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    op = {"op": "derive", "columns": {"v": "v + 1", "double": "v * 2", "Double": "double + k", "last": "1"}}
    data["v"] = data.v + 1
    data["double"] = data.v * 2
    data["double"] = data.double + data.k
    data["last"] = 1
    same(bench.result(op, table), records(data))


@given(rows=ROWS)
@anything
def test_fill_null_and_replace_set_values(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    filled = {"op": "fill_null", "columns": {"v": 7, "g": "none", "x": 0.5}}
    same(bench.result(filled, table), records(data.fillna({"v": 7, "g": "none", "x": 0.5})))
    replaced = {"op": "replace", "column": "k", "values": {1: 10, "2": None}}
    expected = data.assign(k=data.k.map(lambda value: {1: 10, 2: None}.get(value, value), na_action="ignore"))
    same(bench.result(replaced, table), records(expected))
    named = bench.result({"op": "replace", "column": "k", "values": {"1": "one"}}, table)
    assert [row["k"] for row in named] == [{1: "one", 2: "2", 3: "3", None: None}[row[0]] for row in rows]


@given(rows=ROWS)
@anything
def test_dedupe_keeps_the_first_and_the_order(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    same(bench.result({"op": "dedupe", "keys": ["g"]}, table), records(data.drop_duplicates("g")))
    same(bench.result({"op": "dedupe"}, table), records(data.drop_duplicates()))
    largest = (
        data.sort_values("v", ascending=False, na_position="last", kind="stable").drop_duplicates("g").sort_index()
    )
    same(bench.result({"op": "dedupe", "keys": "g", "order_by": "-v"}, table), records(largest))


@given(rows=ROWS)
@anything
def test_sort_and_limit(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    expected = data.sort_values(["v", "x"], ascending=[False, True], na_position="last", kind="stable")
    found = bench.result({"op": "sort", "by": ["-v", "x"]}, table)
    assert [(row["v"], row["x"]) for row in found] == [(row["v"], row["x"]) for row in records(expected)]
    same(bench.result({"op": "limit", "rows": 3}, table), records(data.head(3)))


@given(rows=ROWS, seed=st.integers(-5, 5), count=st.integers(0, 14))
@anything
def test_sample_has_the_asked_number_of_rows_in_order_and_repeats(
    bench: Bench, rows: list[Any], seed: int, count: int
) -> None:
    numbered = [(index, None, None, None) for index in range(len(rows))]
    table = bench.table("t", numbered)
    op = {"op": "sample", "rows": count, "seed": seed}
    found = [row["k"] for row in bench.result(op, table)]
    assert len(found) == min(count, len(rows))
    assert found == sorted(found)
    assert found == [row["k"] for row in bench.result(op, table)]


def test_sample_by_fraction_is_near_it_and_differs_by_seed(bench: Bench) -> None:
    table = bench.table("t", [(index, None, None, None) for index in range(20_000)])
    samples = [bench.result({"op": "sample", "fraction": 0.25, "seed": seed}, table) for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]
    assert all(4_700 < len(sample) < 5_300 for sample in samples)
    assert len(bench.result({"op": "sample", "fraction": 1}, table)) == 20_000
    assert bench.result({"op": "sample", "fraction": 0}, table) == []


@given(rows=ROWS)
@anything
def test_aggregate_agrees_with_groupby_and_is_sorted(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    op = {"op": "aggregate", "by": ["g", "k"], "columns": {"n": "count(*)", "total": "sum(v)", "top": "max(x)"}}
    grouped = data.groupby(["g", "k"], dropna=False, sort=False).agg(
        n=("v", "size"), total=("v", lambda values: values.sum(min_count=1)), top=("x", "max")
    )
    same(bench.result(op, table), records(grouped.reset_index()), ordered=False)
    keys = [(row["g"] is None, row["g"] or "", row["k"] is None, row["k"] or 0) for row in bench.result(op, table)]
    assert keys == sorted(keys)
    whole = bench.result({"op": "aggregate", "columns": {"n": "count(v)"}}, table)
    assert whole == [{"n": int(data.v.count())}]


def test_sum_of_whole_numbers_stays_a_whole_number_in_parquet(bench: Bench) -> None:
    table = bench.table("t", [(1, "a", 2, 0.5)])
    op = an_op.validate_python({"op": "aggregate", "columns": {"s": "sum(v)", "d": "sum(x)"}})
    assert output_schema(op, table.schema, {}) == Schema.of([("s", "BIGINT"), ("d", "DOUBLE")])


@given(rows=ROWS)
@anything
def test_pivot_agrees_with_pivot_table(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    found = bench.result({"op": "pivot", "index": ["k"], "on": "g", "values": "v", "agg": "sum"}, table)
    names = sorted(data.g.dropna().unique())
    sums = {
        (key, name): data[(data.k.isna() if pd.isna(key) else (data.k == key).fillna(False)) & (data.g == name)].v.sum(
            min_count=1
        )
        for key in data.k.unique()
        for name in names
    }
    expected = [
        {
            "k": None if pd.isna(key) else int(key),
            **{n: None if pd.isna(sums[key, n]) else int(sums[key, n]) for n in names},
        }
        for key in data.k.unique()
    ]
    same(found, expected, ordered=False)
    listed = {"op": "pivot", "index": "k", "on": "g", "values": "v", "agg": "count", "columns": ["b", "zzz"]}
    assert all(row["zzz"] == 0 and row["b"] >= 0 for row in bench.result(listed, table))


@given(rows=ROWS)
@anything
def test_unpivot_agrees_with_melt(bench: Bench, rows: list[Any]) -> None:
    table, data = bench.table("t", rows), frame(rows)
    melted = data.melt(["g"], ["k", "v"], var_name="what", value_name="much")
    op = {"op": "unpivot", "ids": ["g"], "columns": ["k", "v"], "name": "what", "value": "much"}
    same(bench.result(op, table), records(melted), ordered=False)


@pytest.mark.parametrize("how", ["inner", "left", "right", "full", "semi", "anti"])
@given(rows=ROWS, others=OTHER_ROWS)
@anything
def test_join_agrees_with_merge(bench: Bench, how: str, rows: list[Any], others: list[Any]) -> None:
    table, other = bench.table("t", rows), bench.table("o", others, OTHER)
    # A missing key matches nothing in SQL; in pandas it matches a missing key.
    left, right = frame(rows), frame(others, OTHER)
    present = right.dropna(subset=["k"])
    if how == "semi":
        expected = left[left.k.isin(present.k)]
    elif how == "anti":
        expected = left[~left.k.isin(present.k)]
    else:
        pandas_how: Any = {"full": "outer"}.get(how, how)
        expected = left.merge(present, on="k", how=pandas_how, suffixes=("", "_o"))
        alone = right[right.k.isna()].rename(columns={"v": "v_o"})
        if how in ("right", "full") and len(alone):
            expected = pd.concat([expected, alone.reindex(columns=expected.columns).astype(expected.dtypes)])
    same(
        bench.result({"op": "join", "with": "o", "on": ["k"], "how": how}, table, o=other),
        records(expected),
        ordered=False,
    )


def test_join_takes_chosen_columns_and_renames_those_that_clash(bench: Bench) -> None:
    table = bench.table("t", [(1, "a", 5, 0.5), (2, "b", 6, None)])
    other = bench.table("o", [(5, 1, "p"), (6, 2, "q")], OTHER)
    by_v = {"op": "join", "with": "o", "left_on": "v", "right_on": "k"}
    assert bench.result({**by_v, "columns": ["w"]}, table, o=other)[0] == {"k": 1, "g": "a", "v": 5, "x": 0.5, "w": "p"}
    assert list(bench.result(by_v, table, o=other)[0]) == ["k", "g", "v", "x", "v_o", "w"]
    assert list(bench.result({**by_v, "columns": ["k", "w"]}, table, o=other)[0]) == ["k", "g", "v", "x", "k_o", "w"]
    assert list(bench.result({**by_v, "columns": []}, table, o=other)[0]) == ["k", "g", "v", "x"]
    assert [row["k_o"] for row in bench.result({**by_v, "columns": ["k"]}, table, o=other)] == [5, 6]


@given(rows=ROWS, others=OTHER_ROWS)
@anything
def test_union_puts_rows_below_by_name_or_by_position(bench: Bench, rows: list[Any], others: list[Any]) -> None:
    table, other = bench.table("t", rows), bench.table("o", others, OTHER)
    found = bench.result({"op": "union", "with": "o"}, table, o=other)
    mine = [{"k": k, "g": g, "v": v, "x": x, "w": None} for k, g, v, x in rows]
    theirs = [{"k": k, "g": None, "v": v, "x": None, "w": w} for k, v, w in others]
    assert found == mine + theirs
    twice = bench.result({"op": "union", "with": ["o", "o"], "by_name": False}, other, o=other)
    assert len(twice) == 3 * len(others)


@given(rows=ROWS)
@anything
def test_window_agrees_with_grouped_transforms(bench: Bench, rows: list[Any]) -> None:
    numbered = [(index, *row[1:]) for index, row in enumerate(rows)]
    table, data = bench.table("t", numbered), frame(numbered)
    columns = {"rn": "row_number()", "before": "lag(v)", "mean": "x - avg(x) OVER (PARTITION BY g)", "n": "count(*)"}
    found = bench.result({"op": "window", "columns": columns, "by": ["g"], "order_by": ["-k"]}, table)
    groups = data.sort_values("k", ascending=False).groupby("g", dropna=False)
    data["rn"] = groups.cumcount() + 1
    data["before"] = groups.v.shift()
    data["mean"] = (data.x - data.groupby("g", dropna=False).x.transform("mean")).astype("Float64")
    data["n"] = groups.cumcount() + 1
    order = {row["k"]: row for row in records(data)}
    for row in found:
        expected = order[row["k"]]
        assert (row["rn"], row["before"], row["n"]) == (expected["rn"], expected["before"], expected["n"])
        assert row["mean"] == (None if expected["mean"] is None else pytest.approx(expected["mean"]))


LISTS = st.lists(st.one_of(st.none(), st.lists(st.integers(0, 9), max_size=3)), max_size=6)


@given(rows=LISTS)
@anything
def test_unnest_makes_a_row_of_each_item(bench: Bench, rows: list[Any]) -> None:
    schema = pa.schema([("n", pa.int64()), ("items", pa.list_(pa.int64()))])
    table = bench.table("t", list(enumerate(rows)), schema)
    found = bench.result({"op": "unnest", "column": "items"}, table)
    assert found == [{"n": index, "items": item} for index, items in enumerate(rows) for item in items or []]


def test_unnest_of_a_struct_makes_a_column_of_each_field(bench: Bench) -> None:
    schema = pa.schema([("n", pa.int64()), ("s", pa.struct([("a", pa.int64()), ("b", pa.string())]))])
    table = bench.table("t", [(1, {"a": 2, "b": "x"})], schema)
    assert bench.result({"op": "unnest", "column": "s"}, table) == [{"n": 1, "a": 2, "b": "x"}]


TEXT = st.lists(st.one_of(st.none(), st.text("ab-", max_size=8)), max_size=6)


@given(texts=TEXT)
@anything
def test_split_gives_the_last_column_all_that_is_left(bench: Bench, texts: list[Any]) -> None:
    table = bench.table("t", [(text,) for text in texts], pa.schema([("s", pa.string())]))
    found = bench.result({"op": "split", "column": "s", "by": "-", "into": ["first", "rest"]}, table)
    for text, row in zip(texts, found, strict=True):
        parts = [None, None] if text is None else [*text.split("-", 1), None][:2]
        assert [row["first"], row["rest"]] == parts


def test_split_can_replace_the_column_itself(bench: Bench) -> None:
    table = bench.table("t", [("a-b-c",)], pa.schema([("s", pa.string())]))
    found = bench.result({"op": "split", "column": "s", "by": "-", "into": ["s", "t"]}, table)
    assert found == [{"s": "a", "t": "b-c"}]


def test_sql_sees_the_table_so_far_as_input_and_others_by_id(bench: Bench) -> None:
    table = bench.table("t", [(1, "a", 5, 0.5), (2, "b", 6, None)])
    other = bench.table("o", [(1, 7, "p")], OTHER)
    op = {"op": "sql", "query": "WITH a AS (SELECT k, v FROM input) SELECT a.v, o.w FROM a JOIN o USING (k); "}
    assert bench.result(op, table, o=other) == [{"v": 5, "w": "p"}]


@pytest.mark.parametrize(
    ("given_type", "value", "type_", "expected"),
    [
        ("VARCHAR", "12", "int", 12),
        ("VARCHAR", "1.5", "float", 1.5),
        ("DOUBLE", "2.0", "string", "2.0"),
        ("VARCHAR", "yes", "bool", True),
        ("VARCHAR", "2024-02-29", "date", pd.Timestamp("2024-02-29").date()),
        ("VARCHAR", "2024-02-29 12:30:00", "datetime", pd.Timestamp("2024-02-29 12:30").to_pydatetime()),
        ("BIGINT", "7", "DECIMAL(5, 2)", 7),
        ("VARCHAR", "[1, 2]", "BIGINT[]", [1, 2]),
    ],
)
def test_cast_takes_friendly_and_duckdb_type_names(
    bench: Bench, given_type: str, value: str, type_: str, expected: Any
) -> None:
    bench.table("c", [(value,)], pa.schema([("raw", pa.string())]))
    table = bench.session.define("typed", _query(f"SELECT raw::{given_type} AS a FROM c"))
    assert bench.result({"op": "cast", "columns": {"A": type_}}, table) == [{"a": expected}]


def test_cast_that_fails_names_column_value_and_mend(bench: Bench) -> None:
    table = bench.table("t", [(1, "12", 1, 0.5), (1, "it's", 1, 0.5)])
    with pytest.raises(
        StepError, match=r"Cannot convert column 'g' to BIGINT: 'it's' is no such value.*on_error: null"
    ):
        bench.result({"op": "cast", "columns": {"g": "int"}}, table)
    nulls = bench.result({"op": "cast", "columns": {"g": "int"}, "on_error": "null"}, table)
    assert [row["g"] for row in nulls] == [12, None]


def _query(sql: str) -> Any:
    from etlml.compute.relation import Query

    return Query(sql)


COLUMNS = Schema.of(
    [("day", "DATE"), ("amount", "BIGINT"), ("city", "VARCHAR"), ("tags", "VARCHAR[]"), ("rate", "DOUBLE")]
)
INPUTS = {"orders": COLUMNS, "shops": Schema.of([("id", "VARCHAR"), ("city", "VARCHAR"), ("amount", "VARCHAR")])}


@pytest.mark.parametrize(
    ("op", "error", "message"),
    [
        ({"op": "select", "columns": ["amout"]}, ColumnMissing, "no column 'amout'. Did you mean 'amount'"),
        ({"op": "drop", "columns": ["x"]}, ColumnMissing, "no column 'x'"),
        ({"op": "drop", "columns": ["day", "amount", "city", "tags", "rate"]}, ConfigInvalid, "Keep at least one"),
        ({"op": "rename", "columns": {"amout": "a"}}, ColumnMissing, "'amount'"),
        ({"op": "rename", "columns": {"amount": "CITY"}}, ConfigInvalid, "Two columns would be called"),
        ({"op": "cast", "columns": {"amout": "int"}}, ColumnMissing, "'amount'"),
        ({"op": "filter", "where": "amout > 1"}, ColumnMissing, "Did you mean 'amount'"),
        ({"op": "filter", "where": "amount >"}, ExpressionInvalid, "it ends too early"),
        ({"op": "filter", "where": "city"}, ExpressionInvalid, "gives a VARCHAR, which is neither true nor false"),
        ({"op": "filter", "where": "upper(amount) = 'X'"}, ExpressionInvalid, "No function matches"),
        ({"op": "filter", "where": "sum(amount) > 1"}, SqlRefused, "aggregate function sum()"),
        ({"op": "filter", "where": "read_text('x') = ''"}, SqlRefused, "read_text()"),
        ({"op": "derive", "columns": {"a": "later + 1", "later": "1"}}, ColumnMissing, "'later'"),
        ({"op": "fill_null", "columns": {"amount": "x"}}, ConfigInvalid, "'amount' is BIGINT, and 'x' is no value"),
        ({"op": "fill_null", "columns": {"amount": 0.5}}, ConfigInvalid, "0.5 is no value of that type"),
        ({"op": "drop_null", "columns": ["x"]}, ColumnMissing, "'x'"),
        ({"op": "replace", "column": "amount", "values": {"x": 1}}, ConfigInvalid, "so 'x' is never in it"),
        ({"op": "dedupe", "keys": ["x"]}, ColumnMissing, "'x'"),
        ({"op": "dedupe", "order_by": ["-x"]}, ColumnMissing, "'x'"),
        ({"op": "sort", "by": ["-amout"]}, ColumnMissing, "Did you mean 'amount'"),
        ({"op": "aggregate", "by": ["x"]}, ColumnMissing, "'x'"),
        ({"op": "aggregate"}, ConfigInvalid, "needs columns to compute"),
        ({"op": "aggregate", "by": "city", "columns": {"City": "count(*)"}}, ConfigInvalid, "already there"),
        ({"op": "aggregate", "by": "city", "columns": {"a": "amount"}}, ExpressionInvalid, "Put it into by"),
        ({"op": "pivot", "index": ["x"], "on": "city", "values": "amount"}, ColumnMissing, "'x'"),
        ({"op": "pivot", "on": "city", "values": "amount", "columns": ["a", "A"]}, StepError, "'A' and 'a'"),
        ({"op": "unpivot", "ids": ["day"]}, ConfigInvalid, "can't share the column 'value'"),
        ({"op": "unpivot", "ids": ["day"], "name": "Day"}, ConfigInvalid, "different names"),
        ({"op": "join", "with": "shop", "on": "city"}, ConfigInvalid, "no input 'shop'. Did you mean 'shops'"),
        ({"op": "join", "with": "shops", "on": "day"}, ColumnMissing, "The input 'shops' has no column 'day'"),
        ({"op": "join", "with": "shops", "on": "id"}, ColumnMissing, "The input has no column 'id'"),
        (
            {"op": "join", "with": "shops", "on": "amount"},
            ConfigInvalid,
            "'amount' is BIGINT in the input, and 'amount' is VARCHAR",
        ),
        ({"op": "join", "with": "shops", "on": "city", "columns": ["x"]}, ColumnMissing, "'x'"),
        ({"op": "union", "with": "shop"}, ConfigInvalid, "Did you mean 'shops'"),
        ({"op": "union", "with": "shops"}, ConfigInvalid, "both have the same type"),
        ({"op": "union", "with": "shops", "by_name": False}, ConfigInvalid, "has 5 columns and 'shops' has 3"),
        ({"op": "window", "columns": {"a": "row_number()"}, "by": ["x"]}, ColumnMissing, "'x'"),
        ({"op": "window", "columns": {"a": "lag(amout)"}}, ColumnMissing, "Did you mean 'amount'"),
        ({"op": "unnest", "column": "city"}, ConfigInvalid, "unnest needs a list or a struct"),
        ({"op": "split", "column": "x", "by": ",", "into": ["a"]}, ColumnMissing, "'x'"),
        ({"op": "split", "column": "city", "by": ",", "into": ["a", "A"]}, ConfigInvalid, "different names"),
        ({"op": "sql", "query": "SELECT * FROM shop"}, SqlRefused, "Did you mean 'shops'"),
        ({"op": "sql", "query": "SELECT amout FROM input"}, ColumnMissing, "Did you mean 'amount'"),
        ({"op": "python", "code": "def transform(df:\n  pass"}, ConfigInvalid, "'(' was never closed. At line 1"),
        ({"op": "python", "code": "x = 1"}, ConfigInvalid, "needs a function: def transform(df)"),
        ({"op": "python", "code": "def transform(): pass"}, ConfigInvalid, "takes one argument"),
        ({"op": "python", "code": "def transform(a, b): pass"}, ConfigInvalid, "takes one argument"),
    ],
)
def test_op_refuses(op: dict[str, Any], error: type[EtlmlError], message: str) -> None:
    with pytest.raises(error) as caught:
        output_schema(an_op.validate_python(op), COLUMNS, INPUTS)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "op",
    [
        {"op": "select", "columns": []},
        {"op": "select"},
        {"op": "cast", "columns": {"a": "strng"}},
        {"op": "sample"},
        {"op": "sample", "rows": 1, "fraction": 0.5},
        {"op": "sample", "fraction": 1.5},
        {"op": "limit", "rows": -1},
        {"op": "join", "with": "x"},
        {"op": "join", "with": "x", "on": "a", "left_on": "b", "right_on": "c"},
        {"op": "join", "with": "x", "left_on": ["a", "b"], "right_on": "c"},
        {"op": "join", "with": "x", "on": "a", "how": "outer"},
        {"op": "predict", "model": "m"},
        {"op": "filter", "where": ""},
        {"op": "limit", "rows": 1, "extra": True},
    ],
)
def test_config_that_makes_no_sense_is_refused(op: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        an_op.validate_python(op)


@pytest.mark.parametrize(
    "op",
    [
        {"op": "join", "with": "o", True: ["k"]},
        {"op": "pivot", "index": ["k"], True: "g", "values": "v"},
    ],
)
def test_key_on_that_yaml_reads_as_truth_is_taken_as_meant(op: dict[Any, Any]) -> None:
    assert an_op.validate_python(op).on in (["k"], "g")


def test_ops_are_stored_as_they_were_written() -> None:
    written = {"op": "join", "with": "o", "on": ["k"], "how": "left", "columns": ["w"], "label": "who"}
    stored = an_op.validate_python(written).model_dump(exclude_defaults=True)
    assert stored | {"op": "join"} == written
    assert an_op.validate_python(an_op.validate_python(written).model_dump(mode="json")) == an_op.validate_python(
        written
    )


def test_schema_for_forms_tells_columns_and_expressions_apart() -> None:
    definitions = an_op.json_schema()["$defs"]
    assert definitions["Filter"]["properties"]["where"]["edits"] == "expression"
    assert definitions["Select"]["properties"]["columns"]["items"]["picks"] == "column"
    assert all("description" in definition for definition in definitions.values())
    assert len(an_op.json_schema()["discriminator"]["mapping"]) == 23


@pytest.mark.parametrize(
    "op", [{"op": "filter", "where": "anything > 1"}, {"op": "join", "with": "shops", "on": "city"}]
)
def test_unknown_columns_leave_the_structure_to_check(op: dict[str, Any]) -> None:
    assert output_schema(an_op.validate_python(op), None, {"orders": None, "shops": None}) is None
    with pytest.raises(EtlmlError):
        output_schema(an_op.validate_python({"op": "filter", "where": "a >"}), None, {})
