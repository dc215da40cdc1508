"""SQLite tables before a load: looked at, and an empty new one made with the right declared types.

DuckDB, which moves the rows (2.4 times as fast as Python), can neither declare a DATE nor see triggers, so Python's
SQLite does that, always before or after DuckDB has the file, never at once: the locks of two copies of SQLite in one
process do not see each other.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etlml.compute.names import quoted
from etlml.connectors.sqlite_files import MAGIC
from etlml.errors import LoadFailed

BUSY_S = 30.0
FRESH = "_etlml_new_"


@dataclass(frozen=True)
class TableFacts:
    """What stands under a name in the database.

    Attributes:
        kind: ``table``, ``view`` or None.
        columns: Names of its columns, lower-cased.
        indexes: The CREATE INDEX statements of its own indexes.
        is_dressed: It has indexes, triggers, keys or other constraints, which somebody put there on purpose.
    """

    kind: str | None
    columns: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()
    is_dressed: bool = False


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, for statements that take effect one by one."""
    if path.exists() and path.stat().st_size and _start_of(path) != MAGIC:
        raise LoadFailed(
            f"The file {path} is not an SQLite database, or it is encrypted. Choose another path.", path=str(path)
        )
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
    try:
        yield connection
    except sqlite3.Error as error:
        raise LoadFailed(
            f"The SQLite database {path} cannot be written: {error}. Nothing was changed. {_mend(error)}",
            path=str(path),
        ) from error
    finally:
        connection.close()


def facts_of(connection: sqlite3.Connection, name: str) -> TableFacts:
    """What stands under a name."""
    found = connection.execute(
        "SELECT type, sql FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')", [name]
    )
    row = found.fetchone()
    if row is None:
        return TableFacts(None)
    info = connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
    hangers = connection.execute(
        "SELECT type, sql FROM sqlite_master WHERE lower(tbl_name) = lower(?) AND type IN ('index', 'trigger')", [name]
    )
    dressing = [(str(kind), sql) for kind, sql in hangers.fetchall()]
    constrained = any(
        column[3] or column[4] is not None or column[5] for column in info
    )  # NOT NULL, DEFAULT, PRIMARY KEY
    words = str(row[1]).upper()
    return TableFacts(
        kind=str(row[0]),
        columns=frozenset(str(column[1]).lower() for column in info),
        indexes=tuple(sql for kind, sql in dressing if kind == "index" and sql),
        is_dressed=bool(dressing) or constrained or "REFERENCES" in words or "CHECK" in words,
    )


def remove_fresh_tables(connection: sqlite3.Connection) -> None:
    """Remove the empty tables that killed loads left."""
    found = connection.execute(
        f"SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, {len(FRESH)}) = '{FRESH}'"
    )
    for (name,) in found.fetchall():
        connection.execute(f"DROP TABLE {quoted(str(name))}")


def make_fresh_table(connection: sqlite3.Connection, load_id: str, columns: Mapping[str, str]) -> str:
    """Make the empty table that will take the target's name; its name."""
    name = FRESH + hashlib.sha256(load_id.encode()).hexdigest()[:12]
    connection.execute(
        f"CREATE TABLE {quoted(name)} ({', '.join(f'{quoted(column)} {type_}' for column, type_ in columns.items())})"
    )
    return name


def _mend(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return "Another program is writing to it; wait until it has finished, then run again."
    if "full" in text:
        return "Free some space on that disk."
    if "readonly" in text or "unable to open" in text:
        return "Give the user who runs etlml the right to write there, or choose another path."
    return ""


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(MAGIC))
