"""How each format is written, and how a file of it is read back unchanged when rows are added to it."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from etlml.compute.names import literal, quoted
from etlml.compute.schema import Column, Schema
from etlml.compute.translate import translated
from etlml.connectors.csv_files import CsvOptions, Layout, layout_of
from etlml.connectors.excel_files import read_workbooks
from etlml.connectors.formats import FileKind
from etlml.connectors.sniffing import column_struct, paths_list
from etlml.errors import DataUnreadable, LoadFailed


@dataclass(frozen=True)
class Held:
    """What a file holds already, so that writing it again changes nothing.

    Attributes:
        query: A SELECT of its rows.
        schema: The query's columns.
        as_held: The SQL that turns an incoming column into the same form.
        as_key: The SQL that makes two forms of one key equal.
        layout: Of a CSV file.
    """

    query: str
    schema: Schema
    as_held: Callable[[Column], str] = lambda column: quoted(column.name)
    as_key: Callable[[str], str] = lambda expression: expression
    layout: Layout | None = None


def copy_options(kind: FileKind, *, header: bool = True, delimiter: str | None = None) -> str:
    """The options of COPY ... TO for a format."""
    packing = f", COMPRESSION {kind.packing or 'none'}"
    if kind.format in ("csv", "tsv"):
        mark = delimiter or ("\t" if kind.format == "tsv" else ",")
        return f"FORMAT csv, HEADER {literal(header)}, DELIMITER {literal(mark)}{packing}"
    if kind.format in ("json", "jsonl"):
        return f"FORMAT json, ARRAY {literal(kind.format == 'json')}{packing}"
    return "FORMAT xlsx, HEADER true" if kind.format == "excel" else "FORMAT parquet"


def held_by(connection: duckdb.DuckDBPyConnection, path: Path, kind: FileKind, incoming: Schema) -> Held | None:
    """What a file holds; None if there is nothing to keep, not even columns.

    Raises:
        LoadFailed: The file cannot be read, or could not be written again as it is.
    """
    if path.stat().st_size == 0:
        return None
    readers = {"csv": _csv, "tsv": _csv, "json": _json, "jsonl": _json, "parquet": _parquet}
    try:
        if kind.format == "excel":
            return _excel(connection, path, incoming)
        return readers[kind.format](connection, path, kind)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise _unreadable(path, str(translated(error))) from None
    except DataUnreadable as error:
        raise _unreadable(path, error.message) from None


def csv_as_text(columns: tuple[str, ...], source: str, layout: Layout, more: str = "") -> str:
    """A SELECT of CSV files as the text that they hold, a missing value told from an empty text."""
    dialect = f"header={literal(layout.header)}, delim={literal(layout.delimiter)}, quote='\"', escape='\"', skip=0, comment=''"
    line_end = f", new_line={literal(layout.new_line)}" if layout.new_line else ""
    struct = column_struct(dict.fromkeys(columns, "VARCHAR"))
    fixed = f"auto_detect=false, columns={struct}, {dialect}, allow_quoted_nulls=false{line_end}"
    return f"SELECT * FROM read_csv({source}, {fixed}{more})"


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, _kind: FileKind) -> Held:
    query = f"SELECT * FROM read_parquet({literal(str(path))})"
    return Held(query, _described(connection, query))


def _csv(_connection: duckdb.DuckDBPyConnection, path: Path, kind: FileKind) -> Held:
    delimiter = "\t" if kind.format == "tsv" else None
    layout = layout_of(path, kind.packing, CsvOptions(header=True, delimiter=delimiter))
    names = tuple(name for name, _ in layout.columns)
    query = csv_as_text(names, literal(str(path)), layout)
    return Held(query, Schema.of([(name, "VARCHAR") for name in names]), layout=layout)


def _json(connection: duckdb.DuckDBPyConnection, path: Path, kind: FileKind) -> Held | None:
    format_ = "newline_delimited" if kind.format == "jsonl" else "auto"
    source = f"{paths_list([path])}, format={literal(format_)}"
    found = _described(connection, f"SELECT * FROM read_json({source}, sample_size=-1)")
    if (
        found.names == ("json",)
        and not connection.execute(f"SELECT count(*) FROM read_json({source})").fetchall()[0][0]
    ):
        return None
    schema = Schema.of([(name, "JSON") for name in found.names])
    query = f"SELECT * FROM read_json({source}, columns={column_struct(schema.as_dict())}, auto_detect=false)"
    return Held(
        query, schema, as_held=lambda column: f"to_json({quoted(column.name)})", as_key=lambda key: f"({key} ->> '$')"
    )


def _excel(connection: duckdb.DuckDBPyConnection, path: Path, incoming: Schema) -> Held:
    with zipfile.ZipFile(path) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
    if len(sheets) > 1:
        raise LoadFailed(
            f"The workbook {path} has {len(sheets)} sheets, and adding rows would keep only the first. "
            "Load into a workbook of its own, or with mode overwrite.",
            path=str(path),
        )
    query = read_workbooks(connection, [path], {})
    return _with_types_of_empty_columns(connection, Held(query, _described(connection, query)), incoming)


def _with_types_of_empty_columns(connection: duckdb.DuckDBPyConnection, held: Held, incoming: Schema) -> Held:
    """A sheet's column without a value has no type of its own; it takes that of what comes in."""
    counts = ", ".join(f"count({quoted(name)})" for name in held.schema.names)
    filled = connection.execute(f"SELECT {counts} FROM ({held.query})").fetchall()[0]
    columns = [
        column if count or column.name not in incoming else Column(column.name, incoming.column(column.name).type)
        for column, count in zip(held.schema, filled, strict=True)
    ]
    casts = ", ".join(f"CAST({quoted(column.name)} AS {column.type}) AS {quoted(column.name)}" for column in columns)
    return Held(f"SELECT {casts} FROM ({held.query})", Schema(tuple(columns)))


def _described(connection: duckdb.DuckDBPyConnection, query: str) -> Schema:
    return Schema.of([(str(row[0]), str(row[1])) for row in connection.execute(f"DESCRIBE {query}").fetchall()])


def _unreadable(path: Path, reason: str) -> LoadFailed:
    return LoadFailed(f"What {path} holds already cannot be read, so nothing was added. {reason}", path=str(path))
