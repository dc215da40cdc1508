"""What DuckDB sinks promise beyond what every sink does."""

import subprocess
import sys
from typing import Any

import duckdb
import pytest

from etlml.connectors import duckdb_files
from etlml.errors import EtlmlError, LoadFailed
from tests.connectors.world import World

SINK = {"kind": "duckdb", "path": "o.duckdb", "table": "t"}
ROWS = "SELECT 1 AS id, 'x' AS v UNION ALL SELECT 2, NULL ORDER BY id"


def run(world: World, sql: str) -> list[Any]:
    with duckdb.connect(str(world.data / "o.duckdb")) as connection:
        return connection.execute(sql).fetchall()


def test_types_stay_as_they_are(world: World) -> None:
    world.load(
        SINK, "SELECT [1, 2] AS l, {'a': 1} AS s, 1.25::DECIMAL(5, 2) AS m, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS z"
    )
    assert world.schema(SINK) == {
        "l": "INTEGER[]",
        "s": "STRUCT(a INTEGER)",
        "m": "DECIMAL(5,2)",
        "z": "TIMESTAMP WITH TIME ZONE",
    }


def test_a_schema_can_be_named(world: World) -> None:
    world.load({**SINK, "table": "mart.t"}, ROWS)
    assert run(world, "SELECT * FROM mart.t") == [(1, "x"), (2, None)]


def test_overwriting_keeps_indexes_and_constraints_while_the_columns_stay(world: World) -> None:
    run(
        world,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR); CREATE INDEX by_v ON t (v); INSERT INTO t VALUES (1, 'a')",
    )
    world.load(SINK, ROWS)
    assert run(world, "SELECT * FROM t") == [(1, "x"), (2, None)]
    assert run(world, "SELECT index_name FROM duckdb_indexes()") == [("by_v",)]
    with pytest.raises(LoadFailed, match="use mode merge"):
        world.load(SINK, ROWS, "append")
    world.load(SINK, ROWS.replace("'x'", "'new'"), "merge", ["id"])
    assert sorted(run(world, "SELECT id, v FROM t")) == [(1, "new"), (2, None)]


def test_overwriting_with_other_columns_makes_indexes_again_and_warns_of_what_is_lost(world: World) -> None:
    run(
        world,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); CREATE INDEX by_id ON t (id); CREATE INDEX by_a ON t (a)",
    )
    written = world.load(SINK, ROWS)
    assert run(world, "SELECT index_name FROM duckdb_indexes()") == [("by_id",)]
    assert [warning.split(":")[0] for warning in written.warnings] == [
        "An index was lost, since its columns are gone",
        "The table's constraints were lost, since its columns changed.",
    ]


def test_a_view_or_another_kind_of_file_is_refused_and_no_new_file_is_left(world: World) -> None:
    run(world, "CREATE VIEW t AS SELECT 1 AS id")
    with pytest.raises(LoadFailed, match="it is a view"):
        world.load(SINK, ROWS)
    world.file("o.csv", "some,text\n" * 10)
    with pytest.raises(LoadFailed, match="not a DuckDB database"):
        world.load({**SINK, "path": "o.csv"}, ROWS)
    with pytest.raises(LoadFailed):
        world.load({**SINK, "path": "new.duckdb"}, "SELECT 1 AS id FROM range(2)", "merge", ["id"])
    assert not (world.data / "new.duckdb").exists()


def test_a_database_open_in_another_program_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.load(SINK, ROWS)
    monkeypatch.setattr(duckdb_files, "BUSY_S", 0.3)
    path = str(world.data / "o.duckdb")
    code = f"import duckdb, sys; c = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(
            EtlmlError, match=rf"open for writing in another program \(process {other.pid}\).*Close it there"
        ):
            world.load(SINK, ROWS, "append")
        other.kill()
    world.load(SINK, "SELECT 3 AS id, 'z' AS v", "append")
    assert len(world.read(SINK)) == 3
