"""SQLite files, looked into and queried read-only by Python's own SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from etlml.connectors.places import refuse_unusable
from etlml.errors import ConfigInvalid, DataUnreadable, did_you_mean

MAGIC = b"SQLite format 3\x00"
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def refuse_other_file(path: Path) -> None:
    """Refuse a file that is missing, empty or no SQLite database."""
    if not path.is_file():
        near = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataUnreadable(
            f"There is no file {path}. {did_you_mean(path.name, near) if near else 'Correct the path.'}", path=str(path)
        )
    refuse_unusable(path)
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise DataUnreadable(
                f"The file {path} is not an SQLite database, or it is encrypted. Correct the path or the kind.",
                path=str(path),
            )


@contextmanager
def reading(path: Path, *, timeout_s: float = 10) -> Iterator[sqlite3.Connection]:
    """The database, read-only; whatever is run on it may only read."""
    _settle(path)
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=timeout_s, check_same_thread=False)
    try:
        connection.set_authorizer(_only_reads)
        yield connection
    except sqlite3.DatabaseError as error:
        raise DataUnreadable(f"The SQLite database {path} cannot be read: {error}.", path=str(path)) from None
    finally:
        connection.close()


def _settle(path: Path) -> None:
    """Have SQLite undo what a killed writer left half done: a reader without writing rights could not."""
    if path.with_name(path.name + "-journal").exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()


def tables(connection: sqlite3.Connection) -> list[str]:
    """Names of the tables and views."""
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return [str(row[0]) for row in found]


def refuse_missing_table(name: str, present: list[str], path: Path) -> None:
    """Refuse a table that the database lacks, naming the nearest."""
    if name.lower() not in {each.lower() for each in present}:
        shown = [each for each in present if not each.startswith("_etlml")]
        raise DataUnreadable(
            f"The database {path} has no table {name!r}. {did_you_mean(name, shown)}", path=str(path), table=name
        )


def refuse_bad_query(connection: sqlite3.Connection, query: str) -> None:
    """Refuse a query that SQLite cannot compile, that changes something, or that is more than one statement."""
    try:
        connection.execute(f"EXPLAIN SELECT * FROM ({query.strip().rstrip(';')}\n)").fetchall()
    except (sqlite3.Error, sqlite3.Warning) as error:
        reason = "it may only read" if "authoriz" in str(error) or "prohibited" in str(error) else str(error)
        raise ConfigInvalid(
            f"The query cannot be used: {reason}. It has to be one SELECT in SQLite's SQL.", field="source.query"
        ) from None


def _only_reads(action: int, first: Any, second: Any, _database: Any, _trigger: Any) -> int:
    if action == sqlite3.SQLITE_FUNCTION and str(second).lower() == "load_extension":
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and str(first).lower() in ("table_info", "table_xinfo"):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY
