"""Files that steps can read: found, added without loss, looked into."""

import re
import sqlite3
from io import BytesIO
from pathlib import Path

import duckdb
import pytest

from etlml.documents import STEP_ID_PATTERN
from etlml.errors import ConfigInvalid, DataUnreadable
from etlml.services import Services
from etlml.services.data_files import DataFile, step_id

ROWS = b"a,b\n1,2\n"


@pytest.fixture
def data(services: Services) -> Path:
    """The data folder."""
    folder = services.environment.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def add(services: Services, name: str, content: bytes = ROWS, *, replace: bool = False) -> DataFile:
    return services.data_files.add(name, BytesIO(content), replace=replace)


class TestAdd:
    """Uploading."""

    def test_an_added_file_is_listed_first_and_can_be_read(self, services: Services, data: Path) -> None:
        (data / "old.csv").write_bytes(ROWS)
        added = add(services, "orders.csv")
        assert (added.path, added.kind, added.bytes) == ("uploads/orders.csv", "csv", len(ROWS))
        assert [each.path for each in services.data_files.list()] == ["uploads/orders.csv", "old.csv"]
        assert services.data_files.source(added.path) == {"kind": "file", "path": "uploads/orders.csv"}

    def test_other_content_under_a_taken_name_gets_a_number(self, services: Services) -> None:
        paths = [add(services, "orders.csv.gz", content).path for content in (b"one", b"two", b"one", b"three")]
        assert paths == [f"uploads/orders{end}.csv.gz" for end in ("", "-2", "", "-3")]

    def test_it_replaces_when_asked(self, services: Services, data: Path) -> None:
        add(services, "orders.csv")
        assert add(services, "orders.csv", b"a\n9\n", replace=True).path == "uploads/orders.csv"
        assert (data / "uploads" / "orders.csv").read_bytes() == b"a\n9\n"

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../../etc/orders.csv", "orders.csv"),
            ("C:\\data\\orders.csv", "orders.csv"),
            ("a<b>:\x00.csv", "a_b___.csv"),
        ],
    )
    def test_a_name_cannot_lead_elsewhere(self, services: Services, name: str, kept: str) -> None:
        assert add(services, name).path == f"uploads/{kept}"

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("run.exe", ROWS, "'.exe' of 'run.exe' is not known"),
            ("orders", ROWS, "no extension"),
            ("orders.csv", b"", "empty"),
            ("...", ROWS, "1 to 120 characters"),
            ("a" * 200 + ".csv", ROWS, "1 to 120 characters"),
        ],
    )
    def test_what_no_step_could_read_is_refused(
        self, services: Services, name: str, content: bytes, message: str
    ) -> None:
        with pytest.raises(ConfigInvalid, match=message):
            add(services, name, content)
        assert services.data_files.list() == []

    def test_it_is_audited(self, services: Services) -> None:
        services.data_files.add("orders.csv", BytesIO(ROWS), author="ann")
        entry = services.audit.list().items[0]
        assert (entry.actor, entry.action, entry.kind, entry.key) == ("ann", "added", "file", "uploads/orders.csv")


class TestList:
    """Finding."""

    def test_it_shows_what_a_step_can_read_and_nothing_hidden(self, services: Services, data: Path) -> None:
        for name in ("b.parquet", "notes.md", ".hidden.csv", ".git/x.csv", "deep/er/c.tsv", "d.sqlite"):
            path = data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(ROWS)
        assert {each.path for each in services.data_files.list()} == {"b.parquet", "deep/er/c.tsv", "d.sqlite"}
        assert [each.path for each in services.data_files.list(kinds=["sqlite"])] == ["d.sqlite"]
        assert [each.path for each in services.data_files.list(q="DEEP")] == ["deep/er/c.tsv"]
        assert len(services.data_files.list(limit=2)) == 2


class TestTables:
    """Databases."""

    def test_tables_and_views_of_an_sqlite_file(self, services: Services, data: Path) -> None:
        with sqlite3.connect(data / "shop.db") as connection:
            connection.executescript("CREATE TABLE orders (a); CREATE VIEW paid AS SELECT * FROM orders;")
        connection.close()
        assert services.data_files.tables("shop.db") == ["orders", "paid"]
        assert services.data_files.source("shop.db") == {"kind": "sqlite", "path": "shop.db", "table": "orders"}

    def test_tables_of_a_duckdb_file_with_their_schemas(self, services: Services, data: Path) -> None:
        with duckdb.connect(str(data / "shop.duckdb")) as connection:
            connection.execute("CREATE SCHEMA raw; CREATE TABLE raw.events (a INT); CREATE TABLE orders (a INT)")
        assert services.data_files.tables("shop.duckdb") == ["orders", "raw.events"]

    def test_a_changed_file_is_looked_into_again(self, services: Services, data: Path) -> None:
        with sqlite3.connect(data / "shop.db") as connection:
            connection.execute("CREATE TABLE orders (a)")
            connection.commit()
            services.data_files.tables("shop.db")
            connection.execute(f"CREATE TABLE more (a DEFAULT '{'x' * 5000}')")
        connection.close()
        assert services.data_files.tables("shop.db") == ["more", "orders"]

    @pytest.mark.parametrize(
        ("name", "error", "message"),
        [
            ("none.db", DataUnreadable, "There is no file"),
            ("text.db", DataUnreadable, "not an SQLite database"),
            ("rows.csv", ConfigInvalid, "no tables"),
        ],
    )
    def test_what_is_no_database_is_refused(
        self, services: Services, data: Path, name: str, error: type[Exception], message: str
    ) -> None:
        (data / "text.db").write_text("text")
        with pytest.raises(error, match=message):
            services.data_files.tables(name)

    def test_an_empty_database_has_nothing_to_read(self, services: Services, data: Path) -> None:
        with duckdb.connect(str(data / "empty.duckdb")):
            pass
        with pytest.raises(ConfigInvalid, match="no tables yet"):
            services.data_files.source("empty.duckdb")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("uploads/Orders 2024.csv", "orders_2024"),
        ("uploads/My data, Ümlaut.csv", "my_data_umlaut"),
        ("2024-orders.csv.gz", "read_2024_orders"),
        ("Umsätze (neu).xlsx", "umsatze_neu"),
        ("日本.csv", "read"),
        (f"{'long ' * 40}.csv", "long_long_long_long_long_long_long_long"),
    ],
)
def test_a_step_s_id_is_made_of_what_an_id_may_hold(path: str, expected: str) -> None:
    assert step_id(path) == expected
    assert re.match(STEP_ID_PATTERN, expected)
