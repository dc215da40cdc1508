"""SQLite tables as a load finds them, and the one connection that changes them.

ADBC's driver writes Arrow batches straight into SQLite, more than twice as fast as Python's own module. DuckDB's
extension would be a little faster still, but ends the whole process when the disk is full.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from adbc_driver_manager import Error

from etlml.compute.names import literal, quoted
from etlml.connectors.sqlite_files import MAGIC
from etlml.errors import LoadFailed

if TYPE_CHECKING:
    from adbc_driver_manager import dbapi

BUSY_MS = 200  # how long SQLite itself waits for a lock; then we look whether the run was cancelled, and try again
MEANT = ("PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "NOT NULL", "DEFAULT", "GENERATED", "COLLATE")


class Locked(Exception):
    """Another program is writing to the database."""


@dataclass(frozen=True)
class TableFacts:
    """What stands under a name in the database.

    Attributes:
        kind: ``table``, ``view`` or None.
        columns: Its columns with their declared types.
        indexes: The CREATE INDEX statements of its indexes.
        leading: The first column of each index and of the primary key, lower-cased.
        is_dressed: Somebody gave it triggers, keys or other constraints.
        has_rowid: Whether its rows are numbered.
    """

    kind: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    indexes: tuple[str, ...] = ()
    leading: frozenset[str] = frozenset()
    is_dressed: bool = False
    has_rowid: bool = True

    def indexed(self, sql: str) -> set[str]:
        """The table's columns that a CREATE INDEX statement names."""
        words = {word.lower() for word in re.findall(r"\w+", sql[sql.index("(") :])}
        return {name.lower() for name in self.columns if name.lower() in words or re.search(r"\W", name)}


class Change:
    """One transaction on the database."""

    def __init__(self, connection: "dbapi.Connection", cursor: "dbapi.Cursor") -> None:
        self._connection, self._cursor = connection, cursor

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement, if it gives any."""
        self._cursor.execute(statement)
        return list(self._cursor.fetchall()) if self._cursor.description else []

    def make_table(self, name: str, columns: Mapping[str, str], *, temporary: bool = False) -> None:
        """Make an empty table of columns with their declared types."""
        defined = ", ".join(f"{quoted(column)} {type_}" for column, type_ in columns.items())
        self.run(f"CREATE {'TEMP ' if temporary else ''}TABLE {quoted(name)} ({defined})")

    def ingest(
        self, name: str, batches: Generator[pa.RecordBatch, None, None], schema: pa.Schema, *, temporary: bool = False
    ) -> None:
        """Append batches to a table, columns matched by name; what the iterator raises comes out as it is."""
        raised: list[BaseException] = []
        reader = pa.RecordBatchReader.from_batches(schema, _kept_error(batches, raised))
        try:
            self._cursor.adbc_ingest(name, reader, mode="append", temporary=temporary)
        except Error:
            if raised:
                raise raised[0] from None
            raise
        finally:
            batches.close()

    def commit(self) -> None:
        """Make everything durable, at once."""
        self._connection.commit()


def _kept_error(batches: Iterator[pa.RecordBatch], raised: list[BaseException]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except BaseException as error:
        raised.append(error)  # Arrow's C interface passes on nothing but its text
        raise


@contextmanager
def changing(path: Path) -> Iterator["Change"]:
    """A transaction on the database; what is not committed is rolled back.

    Raises:
        Locked: Another program is writing.
        LoadFailed: SQLite refuses the change.
    """
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise LoadFailed(
                    f"The file {path} is not an SQLite database, or it is encrypted. Choose another path.",
                    path=str(path),
                )
    from adbc_driver_sqlite.dbapi import connect  # brings pandas, which a process that loads nothing does without

    try:
        connection = connect(str(path))
    except Error as error:
        raise _refused(path, error) from error
    try:
        with connection.cursor() as cursor:
            change = Change(connection, cursor)
            change.run(f"PRAGMA busy_timeout = {BUSY_MS}")
            yield change
    except Error as error:
        if "database is locked" in str(error):
            raise Locked from None
        raise _refused(path, error) from error
    finally:
        with suppress(Error):  # SQLite rolls back by itself when the disk is full
            connection.rollback()
        with suppress(Error):
            connection.close()


def facts_of(change: Change, name: str) -> TableFacts:
    """What stands under a name."""
    where = f"lower(name) = lower({literal(name)}) AND type IN ('table', 'view')"
    found = change.run(f"SELECT type, coalesce(sql, '') FROM sqlite_master WHERE {where}")
    if not found:
        return TableFacts()
    kind, sql = str(found[0][0]), str(found[0][1]).upper()
    columns = change.run(f"SELECT name, type, pk FROM pragma_table_info({literal(name)}) ORDER BY cid")
    hung = f"SELECT type, coalesce(sql, '') FROM sqlite_master WHERE lower(tbl_name) = lower({literal(name)}) AND type <> 'table'"
    hangers = [(str(row[0]), str(row[1])) for row in change.run(hung)]
    firsts = change.run(
        f"SELECT i.name FROM pragma_index_list({literal(name)}) AS l, pragma_index_info(l.name) AS i WHERE i.seqno = 0"
    )
    leading = {str(row[0]).lower() for row in firsts} | {str(row[0]).lower() for row in columns if row[2] == 1}
    return TableFacts(
        kind=kind,
        columns={str(row[0]): str(row[1]) for row in columns},
        indexes=tuple(sql for type_, sql in hangers if type_ == "index" and sql),
        leading=frozenset(leading),
        is_dressed=any(word in sql for word in MEANT) or any(type_ == "trigger" for type_, _ in hangers),
        has_rowid="WITHOUT ROWID" not in sql,
    )


def _refused(path: Path, error: Exception) -> LoadFailed:
    text = str(error).split("\nquery was")[0].split(": ", 1)[-1].replace("[SQLite] ", "")
    return LoadFailed(
        f"The SQLite database {path} refuses the rows: {text}. Nothing was changed. {_mend(text)}".strip(),
        path=str(path),
    )


def _mend(text: str) -> str:
    if "constraint failed" in text:
        return "Correct the rows before the load, or use mode merge with the table's keys."
    if "full" in text or "I/O" in text:
        return "Free some space on that disk, or choose a path on another one."
    if "readonly" in text or "unable to open" in text or "open database" in text:
        return "Give the user who runs etlml the right to write there, or choose another path."
    if "malformed" in text or "not a database" in text:
        return "The database is damaged: restore it from a copy."
    return ""
