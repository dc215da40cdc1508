"""What SQLite sinks promise beyond what every sink does."""

import sqlite3
import subprocess
import sys
import threading
from datetime import date, datetime
from typing import Any

import pytest

from etlml.connectors import sqlite_sink
from etlml.errors import LoadFailed
from tests.connectors.world import World

SINK = {"kind": "sqlite", "path": "o.db", "table": "t"}
ROWS = "SELECT 1 AS id, 'x' AS v UNION ALL SELECT 2, NULL ORDER BY id"


def run(world: World, *statements: str) -> list[Any]:
    connection = sqlite3.connect(world.data / "o.db")
    try:
        found: list[Any] = []
        for statement in statements:
            found = connection.execute(statement).fetchall()
        connection.commit()
        return found
    finally:
        connection.close()


def test_types_are_kept_so_that_sqlite_and_we_understand_them(world: World) -> None:
    world.load(
        SINK,
        "SELECT DATE '2024-01-31' AS d, TIMESTAMP '2024-01-31 10:00:00.5' AS ts, TRUE AS b, 1.25::DECIMAL(10, 2) AS m, "
        "12345678901234567890.12::DECIMAL(38, 2) AS long, 1.5::DECIMAL(38, 2) AS short, 18446744073709551615::UBIGINT AS huge, "
        "[1, 2] AS l, {'a': 'é'} AS s, 'ab'::BLOB AS x, TIME '01:02:03' AS t, 7::UBIGINT AS u, 1.5::FLOAT AS f",
    )
    numbers = (1, 1.25, "12345678901234567890.12", 1.5, "18446744073709551615")
    others = ("[1,2]", '{"a":"é"}', b"ab", "01:02:03", 7, 1.5)
    assert run(world, "SELECT * FROM t") == [("2024-01-31", "2024-01-31 10:00:00.5", *numbers, *others)]
    declared = {row[1]: row[2] for row in run(world, "PRAGMA table_info(t)")}
    assert (declared["d"], declared["ts"], declared["b"], declared["u"]) == ("DATE", "TIMESTAMP", "BOOLEAN", "BIGINT")
    assert world.read(SINK, "SELECT d, ts, m FROM src") == [
        (date(2024, 1, 31), datetime.fromisoformat("2024-01-31 10:00:00.500"), 1.25)
    ]


def test_an_append_fits_itself_to_a_table_that_others_made(world: World) -> None:
    run(world, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, at TIMESTAMP, n NUMERIC)")
    world.load(SINK, "SELECT 7::SMALLINT AS id, 5 AS v, DATE '2024-01-31' AS at, 1.5::DECIMAL(4, 1) AS n", "append")
    assert run(world, "SELECT * FROM t") == [(7, "5", "2024-01-31 00:00:00", 1.5)]


def test_overwriting_keeps_indexes_triggers_and_constraints_while_the_columns_stay(world: World) -> None:
    run(
        world,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT CHECK (v <> 'bad'))",
        "CREATE INDEX by_v ON t (v DESC) WHERE v IS NOT NULL",
        "CREATE TABLE log (n)",
        "CREATE TRIGGER noted AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END",
    )
    before = run(world, "SELECT sql FROM sqlite_master WHERE tbl_name = 't' ORDER BY name")
    world.load(SINK, ROWS)
    assert run(world, "SELECT sql FROM sqlite_master WHERE tbl_name = 't' ORDER BY name") == before
    assert run(world, "SELECT n FROM log") == [(1,), (2,)]
    with pytest.raises(LoadFailed, match=r"CHECK constraint failed.*Correct the rows before the load"):
        world.load(SINK, "SELECT 1 AS id, 'bad' AS v")
    assert len(run(world, "SELECT * FROM t")) == 2


def test_overwriting_with_other_columns_makes_the_table_anew_and_warns_of_lost_indexes(world: World) -> None:
    run(
        world,
        "CREATE TABLE t (a TEXT, id INT)",
        "CREATE INDEX by_a ON t (a)",
        "CREATE UNIQUE INDEX by_id ON t (id DESC)",
    )
    written = world.load(SINK, ROWS)
    assert written.warnings == ("An index was lost, since the columns changed: CREATE INDEX by_a ON t (a)",)
    assert run(world, "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 't'") == [("by_id",)]
    assert run(world, "SELECT * FROM t") == [(1, "x"), (2, None)]


def test_a_broken_constraint_fails_the_load_with_nothing_changed(world: World) -> None:
    run(world, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (2, 'old')")
    with pytest.raises(LoadFailed, match=r"UNIQUE constraint failed.*use mode merge"):
        world.load(SINK, ROWS, "append")
    assert run(world, "SELECT * FROM t") == [(2, "old")]
    world.load(SINK, ROWS, "merge", ["id"])
    assert run(world, "SELECT * FROM t ORDER BY id") == [(1, "x"), (2, None)]


@pytest.mark.parametrize(
    "definition",
    ["id INTEGER, v TEXT", "id INTEGER PRIMARY KEY, v TEXT", "id INTEGER PRIMARY KEY, v TEXT) WITHOUT ROWID"],
)
def test_a_large_merge_goes_piece_by_piece(world: World, monkeypatch: pytest.MonkeyPatch, definition: str) -> None:
    monkeypatch.setattr(sqlite_sink, "CHUNK_ROWS", 100)
    run(
        world,
        f"CREATE TABLE t ({definition.removesuffix(' WITHOUT ROWID').removesuffix(')')}){definition.partition(')')[2]}",
    )
    world.load(SINK, "SELECT range AS id, 'old' AS v FROM range(1000)", "append")
    world.load(SINK, "SELECT range * 3 AS id, 'new' AS v FROM range(400)", "merge", ["id"])
    assert run(world, "SELECT v, count(*) FROM t GROUP BY v") == [("new", 400), ("old", 666)]


def test_other_tables_stay_and_a_failed_load_leaves_no_new_file(world: World) -> None:
    run(world, "CREATE TABLE other (a)", "INSERT INTO other VALUES (1)")
    world.load(SINK, ROWS)
    assert run(world, "SELECT * FROM other") == [(1,)]
    with pytest.raises(LoadFailed):
        world.load({**SINK, "path": "new.db"}, "SELECT 1 AS id FROM range(2)", "merge", ["id"])
    assert not (world.data / "new.db").exists()


def test_a_view_or_another_kind_of_file_is_refused(world: World) -> None:
    run(world, "CREATE VIEW t AS SELECT 1 AS id")
    with pytest.raises(LoadFailed, match="it is a view"):
        world.load(SINK, ROWS)
    world.file("o.csv", "some,text\n" * 10)
    with pytest.raises(LoadFailed, match="not an SQLite database"):
        world.load({**SINK, "path": "o.csv"}, ROWS)


def test_a_program_that_is_writing_is_waited_for(world: World) -> None:
    world.load(SINK, ROWS)
    child = _writer(world)
    threading.Timer(0.6, child.kill).start()
    world.load(SINK, "SELECT 3 AS id, 'z' AS v", "append")
    child.wait()
    assert len(run(world, "SELECT * FROM t")) == 3


def test_a_program_that_does_not_stop_writing_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.load(SINK, ROWS)
    monkeypatch.setattr(sqlite_sink, "BUSY_S", 0.3)
    child = _writer(world)
    try:
        with pytest.raises(LoadFailed, match=r"being written by another program, for more than 0\.3 s"):
            world.load(SINK, ROWS, "append")
    finally:
        child.kill()
        child.wait()
    assert len(run(world, "SELECT * FROM t")) == 2


def _writer(world: World) -> "subprocess.Popen[bytes]":
    code = (
        f"import sqlite3, time; c = sqlite3.connect({str(world.data / 'o.db')!r}, isolation_level=None); "
        "c.execute('BEGIN IMMEDIATE'); print('writing', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    child.stdout.close()
    return child
