"""A private DuckDB that looks into files before a run's own session reads them, and remembers what it saw."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from etlml.compute.duck import open_database
from etlml.compute.names import literal
from etlml.compute.schema import Schema
from etlml.compute.translate import translated
from etlml.errors import ConfigInvalid, did_you_mean

SMALL_BYTES = 4 << 20  # files up to this size are sniffed whole, which takes about 60 ms
SAMPLE_ROWS = 100_000
TYPES = (
    "VARCHAR",
    "BIGINT",
    "INTEGER",
    "DOUBLE",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "TIME",
    "DECIMAL(18,2)",
    "HUGEINT",
    "UUID",
    "JSON",
)
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\s*\[\d*\])*")
_opening = threading.Lock()


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    return open_database(memory_bytes=512 << 20)


@contextmanager
def sniffer() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor for a look into a file; DuckDB's errors leave it as they are."""
    with _opening:
        cursor = _database().cursor()
    try:
        yield cursor
    finally:
        cursor.close()


def one_row(sql: str) -> dict[str, Any]:
    """The only row of a query, by column."""
    with sniffer() as cursor:
        found = cursor.execute(sql).fetchone()
        names = [str(each[0]) for each in cursor.description or []]
    return dict(zip(names, found or (), strict=False))


def described(sql: str) -> Schema:
    """The columns of a SELECT over files.

    Raises:
        EtlmlError: DuckDB cannot read them.
    """
    with sniffer() as cursor:
        try:
            rows = cursor.execute(f"DESCRIBE {sql}").fetchall()
        except duckdb.Error as error:
            raise translated(error) from error
    return Schema.of([(str(row[0]), str(row[1])) for row in rows])


def sample_rows(path: Path, *, packed: bool) -> int:
    """How many rows to look at: all of a small file."""
    return -1 if path.stat().st_size * (8 if packed else 1) <= SMALL_BYTES else SAMPLE_ROWS


@lru_cache(maxsize=1000)
def type_name(text: str, *, field: str = "source.types") -> str:
    """A column type, safe to put into SQL.

    Raises:
        ConfigInvalid: DuckDB knows no such type.
    """
    if _TYPE.fullmatch(text.strip()):
        with sniffer() as cursor:
            try:
                return str(cursor.execute(f"SELECT typeof(CAST(NULL AS {text}))").fetchall()[0][0]).strip('"')
            except duckdb.Error:
                pass
    raise ConfigInvalid(f"There is no column type {text!r}. {did_you_mean(text, TYPES, shown=len(TYPES))}", field=field)


def type_names(types: Mapping[str, str]) -> dict[str, str]:
    """Column to type, each type checked."""
    return {column: type_name(text, field=f"source.types.{column}") for column, text in types.items()}


def matched_types(types: Mapping[str, str], columns: Mapping[str, str], *, where: str) -> dict[str, str]:
    """The given types under the file's own spelling of the columns.

    Raises:
        ConfigInvalid: A column is not there.
    """
    spelled = {name.lower(): name for name in columns}
    for column in types:
        if column.lower() not in spelled:
            raise ConfigInvalid(
                f"types names the column {column!r}, which {where} lacks. {did_you_mean(column, columns)}",
                field=f"source.types.{column}",
            )
    return {spelled[column.lower()]: type_ for column, type_ in types.items()}


def column_struct(columns: Mapping[str, str]) -> str:
    """Columns as DuckDB's readers take them: ``{'name': 'TYPE', ...}``."""
    return "{" + ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in columns.items()) + "}"


def paths_list(paths: Sequence[Path]) -> str:
    """Files as DuckDB's readers take them; a name that exists as it stands is never taken for a glob."""
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"
