"""What SQLite sources promise."""

import sqlite3
import subprocess
import sys
import threading
import time
from datetime import date, datetime

import pytest
from pydantic import ValidationError

from etlml.compute.session import Session
from etlml.connectors.base import Reading
from etlml.connectors.sqlite_source import SqliteSource
from etlml.errors import ConfigInvalid, DataUnreadable, StepCancelled
from tests.connectors.world import MEMORY, World


def sqlite(**options: object) -> dict[str, object]:
    return {"kind": "sqlite", "path": "a.db", **options}


@pytest.fixture
def database(world: World) -> World:
    with sqlite3.connect(world.data / "a.db") as connection:
        connection.executescript(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, born DATE, seen TIMESTAMP, size REAL);"
            "INSERT INTO people VALUES (1, 'Ada', '1815-12-10', '2024-01-01 10:00:00', 1.5), (2, NULL, NULL, NULL, 2);"
            "CREATE VIEW tall AS SELECT * FROM people WHERE size > 1.8;"
            "CREATE TABLE loose (v INTEGER); INSERT INTO loose VALUES (1), ('text');"
        )
    connection.close()
    return world


def test_a_table_keeps_its_declared_types(database: World) -> None:
    assert database.read(sqlite(table="people")) == [
        (1, "Ada", date(1815, 12, 10), datetime.fromisoformat("2024-01-01 10:00"), 1.5),
        (2, None, None, None, 2.0),
    ]


def test_a_view_is_read_like_a_table(database: World) -> None:
    assert database.read(sqlite(table="tall"), "SELECT id FROM src") == [(2,)]


def test_a_query_gets_the_types_of_its_values(database: World) -> None:
    query = "SELECT id + 1 AS n, size / 2 AS half, coalesce(name, 'none') AS name, v FROM people, loose;"
    assert database.schema(sqlite(query=query)) == {"n": "BIGINT", "half": "DOUBLE", "name": "VARCHAR", "v": "VARCHAR"}
    assert database.read(sqlite(query=query), "SELECT count(*), max(v) FROM src") == [(4, "text")]


def test_a_missing_table_names_the_nearest(database: World) -> None:
    with pytest.raises(DataUnreadable, match=r"has no table 'poeple'\. Did you mean 'people'"):
        database.read(sqlite(table="poeple"))


def test_a_value_against_its_declared_type_is_named_with_the_mend(database: World) -> None:
    with pytest.raises(
        DataUnreadable, match=r'column "v": column was declared as integer, found "text".*give a query that casts'
    ):
        database.read(sqlite(table="loose"))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nope FROM people", "no such column: nope"),
        ("DELETE FROM people", "syntax error"),
        ("SELECT 1); DELETE FROM people; SELECT (1", "one SELECT"),
        ("SELECT load_extension('x')", "one SELECT"),
    ],
)
def test_a_query_that_is_no_select_is_refused_and_changes_nothing(database: World, query: str, message: str) -> None:
    for attempt in (database.check, database.read):
        with pytest.raises(ConfigInvalid, match=message):
            attempt(sqlite(query=query))
    assert len(database.read(sqlite(table="people"))) == 2


def test_another_kind_of_file_is_refused(world: World) -> None:
    world.file("a.db", "id,name\n1,x\n" * 10)
    with pytest.raises(DataUnreadable, match="not an SQLite database"):
        world.read(sqlite(table="people"))


def test_a_missing_file_names_the_nearest(database: World) -> None:
    with pytest.raises(DataUnreadable, match=r"no file .*/b\.db\. Did you mean 'a\.db'"):
        database.read({"kind": "sqlite", "path": "b.db", "table": "people"})


def test_either_table_or_query_is_given() -> None:
    for options in ({}, {"table": "a", "query": "SELECT 1"}):
        with pytest.raises(ValidationError, match="give either table or query"):
            SqliteSource(path="a.db", **options)


def test_what_a_killed_writer_left_half_done_is_undone(database: World) -> None:
    path = database.data / "a.db"
    code = (
        f"import sqlite3, os; c = sqlite3.connect({str(path)!r}, isolation_level=None); c.execute('PRAGMA cache_size = 1'); "
        "c.execute('BEGIN'); c.executemany('INSERT INTO people (name) VALUES (?)', [('x' * 500,)] * 2000); "
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert (database.data / "a.db-journal").exists()
    assert len(database.read(sqlite(table="people"))) == 2


def test_a_damaged_database_is_told(database: World) -> None:
    database.load(
        {"kind": "sqlite", "path": "a.db", "table": "big"},
        "SELECT range AS id, md5(range::VARCHAR) AS v FROM range(20000)",
    )
    path = database.data / "a.db"
    content = path.read_bytes()
    path.write_bytes(content[:40_000] + bytes(200_000) + content[240_000:])
    with pytest.raises(DataUnreadable, match=r"big|malformed"):
        database.read(sqlite(table="big"))


def test_a_long_query_stops_when_the_run_is_cancelled(database: World) -> None:
    query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n"
    cancelled = threading.Event()
    folder = database.runs / "slow"
    with Session(folder, memory_bytes=MEMORY) as session:
        reading = Reading("src", folder, database.data, session, MEMORY, cancelled.is_set, lambda *_: None)
        threading.Timer(0.3, cancelled.set).start()
        begun = time.monotonic()
        with pytest.raises(StepCancelled):
            SqliteSource(path="a.db", query=query).read(reading)
    assert time.monotonic() - begun < 2
