"""User SQL: what is let through, what is refused, and how the refusal reads."""

import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from etlml.compute import sql_functions
from etlml.compute.schema import Schema
from etlml.compute.sql import (
    checked_expression,
    checked_query,
    expression_columns,
    expression_type,
    is_volatile,
    lineage,
    output_columns,
)
from etlml.errors import ColumnMissing, EtlmlError, ExpressionInvalid, SqlRefused
from tests.compute.sql_cases import EXPRESSIONS, QUERIES, REFUSED_EXPRESSIONS, REFUSED_QUERIES, SCHEMA, TABLES


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expression_is_given_back_as_it_was_written(text: str) -> None:
    assert checked_expression(text, SCHEMA).strip() == text
    assert checked_expression(text, None).strip() == text


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_checked_expression_runs_embedded_among_others(text: str) -> None:
    columns = ", ".join(f'NULL::{column.type} AS "{column.name}"' for column in SCHEMA)
    embedded = checked_expression(text, SCHEMA)
    query = f"SELECT ({embedded}) AS x, 1 AS y FROM (SELECT {columns}) WHERE ({embedded}) IS NULL OR TRUE"
    assert [column[0] for column in duckdb.sql(query).description] == ["x", "y"]


@pytest.mark.parametrize("text", REFUSED_EXPRESSIONS)
@pytest.mark.parametrize("schema", [SCHEMA, None], ids=["known columns", "unknown columns"])
def test_expression_is_refused(text: str, schema: Schema | None) -> None:
    if schema is None and text in {"rowid", "information_schema.upper(b)", "grouping(a)", "attach 'x'"}:
        pytest.skip("harmless, and only columns that are known tell that it is wrong")
    with pytest.raises((SqlRefused, ExpressionInvalid, ColumnMissing)):
        checked_expression(text, schema)


@pytest.mark.parametrize("text", QUERIES)
def test_query_is_given_back_as_it_was_written_and_binds(text: str) -> None:
    checked = checked_query(text, TABLES)
    assert checked.strip() == text.removesuffix(";")
    columns = output_columns(text, TABLES)
    assert columns is not None
    assert len(columns) > 0


@pytest.mark.parametrize("text", REFUSED_QUERIES)
@pytest.mark.parametrize("tables", [TABLES, dict.fromkeys(TABLES)], ids=["known columns", "unknown columns"])
def test_query_is_refused(text: str, tables: dict[str, Schema | None]) -> None:
    with pytest.raises((SqlRefused, ExpressionInvalid)):
        checked_query(text, tables)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + ) b", 'syntax error at or near ")". At character 5:\n    a + ) b\n        ^'),
        ("upper(order day)", 'near "day". Put a name that has a blank in double quotes: "order day". At character 13'),
        ("customer id > 5", 'near ">". Put a name that has a blank in double quotes: "customer id". At'),
        ("a between 1 an 2", 'syntax error at or near "an". At character 13'),
        ("a + ", "it ends too early. At character 5:\n    a + \n        ^"),
        (
            "dep_dely * 2",
            "has no column 'dep_dely'. Did you mean 'dep_delay'? At character 1:\n    dep_dely * 2\n    ^",
        ),
        ("'é' || bb", "At character 8:\n    'é' || bb\n           ^"),
        (
            "1 +\n uper(b)",
            "there is no function 'uper'. Did you mean 'upper'? At line 2, character 2:\n     uper(b)\n     ^",
        ),
        ("b + l", "No function matches the given name and argument types '+(VARCHAR, INTEGER[])'"),
        ("a::whole", "Type with name whole does not exist! At character 4"),
        ("sum(a)", "may not use the aggregate function sum(). Use the aggregate or window op."),
        ("", "is empty. Write an SQL expression."),
        ("  \n", "is empty"),
        ("a\0", "null character"),
        ("\ud800", "no Unicode text"),
        ("(" * 20_000 + "1" + ")" * 20_000, "nested too deeply"),
        ("+".join(["a"] * 900), "nested too deeply"),
        ("1" * 60_000, "50000 is the most"),
    ],
)
def test_refusal_says_what_where_and_the_mend(text: str, message: str) -> None:
    with pytest.raises(EtlmlError) as caught:
        checked_expression(text, SCHEMA, where="filter")
    assert message in caught.value.message
    assert caught.value.message.startswith("Filter")


def test_refusal_carries_the_position_for_machines() -> None:
    with pytest.raises(ExpressionInvalid) as caught:
        checked_expression("a +\n + ) b", SCHEMA)
    assert caught.value.details == {"position": 8, "line": 2, "character": 4}


def test_long_line_is_shown_around_the_mistake() -> None:
    with pytest.raises(ColumnMissing) as caught:
        checked_expression(" + ".join(["a"] * 80) + " + missing + " + " + ".join(["a"] * 80), SCHEMA)
    line, caret = caught.value.message.split("\n")[1:]
    assert len(line) <= 104
    assert line[caret.index("^") :].startswith("missing")


def test_columns_of_a_query_are_checked_with_did_you_mean() -> None:
    with pytest.raises(ColumnMissing, match=r"'yeer'. Did you mean 'year'"):
        checked_query("select yeer from planes", TABLES)


def test_unknown_table_names_the_inputs() -> None:
    with pytest.raises(SqlRefused, match=r"may not use the table 'plane'.*Did you mean 'planes'"):
        checked_query("select * from plane", TABLES)


def test_aggregates_and_windows_are_let_in_where_they_belong() -> None:
    assert checked_expression("sum(a) / count(*)", SCHEMA, aggregates=True)
    assert checked_expression("sum(a) over (partition by b)", SCHEMA, windows=True)
    with pytest.raises(SqlRefused, match="OVER"):
        checked_expression("sum(a) over ()", SCHEMA, aggregates=True)


def test_comment_at_the_end_swallows_nothing() -> None:
    embedded = checked_expression("a > 1 -- keep", SCHEMA)
    assert duckdb.sql(f"SELECT 7 AS x FROM (SELECT 2 AS a) WHERE {embedded} AND TRUE").fetchall() == [(7,)]


def test_columns_and_type_of_an_expression() -> None:
    assert expression_columns("A + coalesce(dep_delay, a) + list_sum(list_transform(l, x -> x + a))", SCHEMA) == (
        "a",
        "dep_delay",
        "l",
    )
    assert expression_type("a / 2", SCHEMA) == "DOUBLE"
    assert expression_type("dep_delay > 1", SCHEMA) == "BOOLEAN"


@pytest.mark.parametrize("text", ["now()", "a + random()", "current_date", "d < CURRENT_TIMESTAMP", "uuid()"])
def test_volatile_expression_is_told(text: str) -> None:
    assert is_volatile(text)
    assert is_volatile(f"select {text} from input", query=True)
    assert not is_volatile("a + 1")
    assert not is_volatile("select a from input", query=True)


def test_output_columns_have_types_and_are_unknown_without_the_inputs() -> None:
    query = "select a / 2 as half, upper(b) as u from input"
    assert output_columns(query, TABLES) == Schema.of([("half", "DOUBLE"), ("u", "VARCHAR")])
    assert output_columns(query, {"input": None}) is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select a as x, upper(b) as u from input", {"x": [("input", "a")], "u": [("input", "B")]}),
        (
            "with t as (select * from planes) select t.year + i.a as z from t join input i on t.tailnum = i.b",
            {"z": [("input", "a"), ("planes", "year")]},
        ),
        ("select count(*) as n, sum(dep_delay) as s from input", {"n": [], "s": [("input", "dep_delay")]}),
        (
            "select tailnum from planes union all select b from input",
            {"tailnum": [("input", "B"), ("planes", "tailnum")]},
        ),
        ("select (select max(year) from planes) as m", {"m": [("planes", "year")]}),
        ("select columns('year') from planes", {"year": [("planes", "a"), ("planes", "tailnum"), ("planes", "year")]}),
    ],
)
def test_lineage_follows_columns_through_a_query(query: str, expected: dict[str, list[tuple[str, str]]]) -> None:
    assert lineage(query, TABLES) == expected


def test_every_function_of_this_duckdb_is_decided_on() -> None:
    installed = {
        str(name).lower()
        for (name,) in duckdb.sql("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
        if str(name)[0].isalpha()
    }
    internal = {name for name in installed if name.startswith("icu_collate_")}
    allowed = sql_functions.SCALARS | sql_functions.AGGREGATES | sql_functions.WINDOWS | sql_functions.ROW_SOURCES
    undecided = installed - allowed - sql_functions.REFUSED - internal
    assert undecided == set()
    assert not allowed & sql_functions.REFUSED


def test_no_function_is_on_the_list_that_touches_the_outside(tmp_path: Path) -> None:
    suspicious = ("read_", "write", "file", "secret", "setting", "env", "query", "sql", "pragma", "extension", "sleep")
    named = [
        name
        for name in sql_functions.SCALARS | sql_functions.AGGREGATES
        if any(part in name for part in suspicious) and name not in {"parse_filename"}
    ]
    assert named == []


def test_check_takes_under_two_milliseconds_after_warm_up() -> None:
    checked_expression("a", SCHEMA)
    best = float("inf")
    for attempt in range(60):
        text = f"coalesce(dep_delay, {attempt}) > 15 and b like 'x%' and d is not null"
        started = time.thread_time()
        checked_expression(text, SCHEMA)
        best = min(best, time.thread_time() - started)
    assert best < 0.002


def test_import_is_cheap() -> None:
    code = "import sys, etlml.compute.sql; print([m for m in ('duckdb', 'sqlglot', 'pandas', 'numpy') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
