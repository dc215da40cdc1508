"""What DuckDB sources promise."""

import subprocess
import sys

import duckdb
import pytest

from etlml.connectors import duckdb_files
from etlml.errors import DataUnreadable, EtlmlError, Unavailable
from tests.connectors.world import World


def source(**options: object) -> dict[str, object]:
    return {"kind": "duckdb", "path": "a.duckdb", **options}


@pytest.fixture
def database(world: World) -> World:
    with duckdb.connect(str(world.data / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE people AS SELECT range AS id, 'n' || range AS name FROM range(3)")
        connection.execute("CREATE SCHEMA other; CREATE TABLE other.things AS SELECT 1 AS a")
    return world


def test_tables_views_and_schemas_are_read(database: World) -> None:
    assert database.read(source(table="people"))[0] == (0, "n0")
    assert database.read(source(table="other.things")) == [(1,)]


def test_a_query_reads_the_databases_tables(database: World) -> None:
    assert database.read(source(query="SELECT count(*) AS n, max(name) AS m FROM people;")) == [(3, "n2")]


def test_a_missing_table_names_the_nearest(database: World) -> None:
    with pytest.raises(DataUnreadable, match=r"has no table 'peple'\. Did you mean 'people'"):
        database.read(source(table="peple"))


@pytest.mark.parametrize(
    "query",
    ["SELECT * FROM read_csv('/etc/passwd')", "DROP TABLE people", "SELECT * FROM '/etc/passwd'", "SELECT 1; SELECT 2"],
)
def test_a_query_reaches_nothing_else(database: World, query: str) -> None:
    with pytest.raises(EtlmlError):
        database.read(source(query=query))
    assert len(database.read(source(table="people"))) == 3


def test_another_kind_of_file_is_refused(world: World) -> None:
    world.file("a.duckdb", "id,name\n1,x\n")
    with pytest.raises(DataUnreadable, match="not a DuckDB database"):
        world.read(source(table="people"))


def test_a_database_that_another_program_writes_is_told_with_its_process(
    database: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_files, "BUSY_S", 0.3)
    path = str(database.data / "a.duckdb")
    code = f"import duckdb, sys; c = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(Unavailable, match=rf"open for writing in another program \(process {other.pid}\)"):
            database.read(source(table="people"))
        other.kill()
