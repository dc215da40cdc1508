"""User SQL of somebody who means harm: values without bound, pieces put together at random, the wall behind the first."""

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlml.compute.relation import Query
from etlml.compute.session import Session
from etlml.compute.sql import (
    checked_expression,
    checked_query,
)
from etlml.errors import EtlmlError, SqlRefused
from tests.compute.sql_cases import SCHEMA, TABLES

BOMBS = [
    "len(range(1000000000))",
    "range(1000000000)[1]",
    "list_extract(generate_series(1, 1000000000), 1)",
    "length(repeat('x', 1000000000))",
    "length(repeat(repeat('x', 9999), 9999))",
    "substr(lpad('x', 100000000, 'y'), 1, 1)",
    "len(list_resize([1], 1000000000))",
    "length(printf('%1000000000d', 1))",
    "length(format('{:1000000000}', 1))",
    "length(replace(replace(repeat('a', 9999), 'a', repeat('b', 9999)), 'b', repeat('c', 9999)))",
    "length(to_base(1, 2, 1000000000))",
    "len(list_transform(range(9999), x -> range(9999)))",
    "len(list_reduce(['a', 'a', 'a', 'a'], (x, y) -> x || x))",
    "len([repeat('x', y) for y in range(9999)])",
    "len(range(timestamp '1000-01-01', timestamp '3000-01-01', interval 1 microsecond))",
    "length(bin(bin(bin(bin(bin('xxxxxxxxxx'))))))",
    "length(to_json(to_json(to_json('\"'))))",
    "len(range(100 * 1000 * 1000))",
    "len(range(1e9::BIGINT))",
]


@pytest.mark.parametrize("text", BOMBS)
def test_value_that_grows_without_bound_while_it_is_only_bound_is_refused(text: str) -> None:
    with pytest.raises(SqlRefused, match=r"on these fixed values. Write its result out"):
        checked_expression(text, SCHEMA)
    with pytest.raises(SqlRefused, match=r"on these fixed values"):
        checked_query(f"SELECT {text} AS x FROM input", TABLES)


@pytest.mark.parametrize(
    "text",
    [
        "a in range(1, 13)",
        "list_contains(range(10), a)",
        "lpad(b, 10, '0') || repeat('-', 10) || repeat(b, a)",
        "replace(replace(b, 'x', 'y'), 'y', 'z')",
        "list_transform(l, x -> repeat('x', x))",
        "[x * a for x in range(5)]",
        "strftime(d, '%Y-%m') || format('{}-{}', a, b) || concat_ws('-', b, 'x')",
        "to_json({'a': a})",
    ],
)
def test_ordinary_use_of_the_same_functions_is_let_through(text: str) -> None:
    assert checked_expression(text, SCHEMA) == text


FRAGMENTS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "l",
            "d",
            "input",
            "planes",
            "1",
            "'x'",
            "'x.csv'",
            '"x.csv"',
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            ";",
            ".",
        ),
        *("*", "+", "->", "::", ":=", "=>", "?", "$1", "#1", "--", "/*", "*/", "\n", "'", '"', "$$", "e'\\'", "@", "!"),
        *(
            "select",
            "from",
            "where",
            "with",
            "as",
            "union",
            "join",
            "over",
            "partition by",
            "filter",
            "in",
            "exists",
            "not",
        ),
        *(
            "read_csv",
            "read_text",
            "getenv",
            "glob",
            "query",
            "upper",
            "sum",
            "count",
            "unnest",
            "columns",
            "lambda x:",
        ),
        *(
            "case",
            "when",
            "then",
            "end",
            "interval",
            "describe",
            "summarize",
            "pivot",
            "values",
            "table",
            "copy",
            "set",
        ),
    ]
)
TEXTS = (
    st.lists(FRAGMENTS, max_size=14).map(" ".join) | st.lists(FRAGMENTS, max_size=8).map("".join) | st.text(max_size=40)
)
HARMLESS_TABLES = {"input", "planes", "unnest", "generate_series", "range"}


@given(text=TEXTS)
@settings(max_examples=400, deadline=None)
def test_whatever_passes_as_expression_is_one_harmless_value(text: str) -> None:
    try:
        embedded = checked_expression(text, None, windows=True, aggregates=True)
    except EtlmlError:
        return
    wrapped = f"SELECT ({embedded}), coalesce({embedded}, {embedded}) FROM input"
    tree = json.loads(duckdb.execute("SELECT json_serialize_sql(?)", [wrapped]).fetchall()[0][0])
    assert not tree["error"]
    node = tree["statements"][0]["node"]
    assert len(tree["statements"]) == 1
    assert len(node["select_list"]) == 2
    assert node["from_table"]["table_name"] == "input"
    assert '"SUBQUERY"' not in json.dumps(node)


@given(text=TEXTS)
@settings(max_examples=400, deadline=None)
def test_whatever_passes_as_query_reads_only_its_tables(text: str) -> None:
    try:
        embedded = checked_query(text, {"input": None, "planes": None})
    except EtlmlError:
        return
    names = duckdb.get_table_names(f"SELECT * FROM (\n{embedded}\n) AS q")
    assert names <= HARMLESS_TABLES


@given(left=TEXTS, right=TEXTS)
@settings(max_examples=200, deadline=None)
def test_two_expressions_never_join_hands(left: str, right: str) -> None:
    passed = []
    for text in (left, right):
        try:
            passed.append(checked_expression(text, None))
        except EtlmlError:
            return
    tree = json.loads(
        duckdb.execute("SELECT json_serialize_sql(?)", [f"SELECT {passed[0]} AS p, {passed[1]} AS q"]).fetchall()[0][0]
    )
    assert [item["alias"] for item in tree["statements"][0]["node"]["select_list"]] == ["p", "q"]


def test_second_wall_holds_when_the_first_is_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "outside.csv"
    secret.write_text("x\n1\n")
    with Session(tmp_path / "run", memory_bytes=2**28) as session:
        session.define("input", Query("SELECT 1 AS a"))
        for statement in (
            f"SELECT * FROM '{secret}'",
            f"SELECT content FROM read_text('{secret}')",
            f"ATTACH '{tmp_path}/x.db'",
        ):
            with pytest.raises(EtlmlError):
                session.rows(statement)
