"""Sources that DuckDB does not read by itself."""

import bz2
import codecs
import gzip
import lzma
import shutil
import sqlite3
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from etlml.services.script.parts.tables import (
    Failed,
    columns_of,
    con,
    file,
    found,
    here,
    load_extension,
    quoted,
    table,
    text,
)


def unpacked(pattern: str, suffix: str, packing: str, encoding: str) -> str:
    """Lay packed or foreign-encoded files out as plain UTF-8; the list that DuckDB's readers take."""
    plain = [here.work / f"plain-{number}-{path.name}{suffix}" for number, path in enumerate(found(pattern))]
    for path, target in zip(found(pattern), plain, strict=True):
        with _opened(path, packing) as source, target.open("wb") as out:
            if encoding == "utf-8":
                shutil.copyfileobj(source, out)
            else:
                decoder = codecs.getincrementaldecoder(encoding)()
                while chunk := source.read(1 << 20):
                    out.write(decoder.decode(chunk).encode())
                out.write(decoder.decode(b"", final=True).encode())
    return "[" + ", ".join(text(path) for path in plain) + "]"


def _opened(path: Path, packing: str) -> Any:
    if packing == "zip":
        return _only_member(path)
    openers: dict[str, Any] = {"": Path.open, "gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return openers[packing](path, "rb")


def _only_member(path: Path) -> Any:
    archive = zipfile.ZipFile(path)
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise Failed(f"The archive {path} holds {len(names)} files; only one with a single file can be read.")
    return archive.open(names[0])


def read_excel(name: str, workbooks: Iterable[Path], types: dict[str, str], options: str = "") -> None:
    """One sheet of each workbook as a table; columns of whole numbers become integers."""
    load_extension("excel")
    sheets = []
    for number, path in enumerate(workbooks):
        sheet = f"sheet{number}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE {sheet} AS {_cells(path, types, options)}")
        given = {column.lower() for column in types}
        numbers = [c for c, type_ in columns_of(sheet).items() if type_ == "DOUBLE" and c.lower() not in given]
        for column in numbers:
            test = f"bool_and({quoted(column)} = trunc({quoted(column)}) AND abs({quoted(column)}) < {2**53})"
            if con.execute(f"SELECT {test} FROM {sheet}").fetchall()[0][0]:
                con.execute(f"ALTER TABLE {sheet} ALTER {quoted(column)} TYPE BIGINT")
        sheets.append(f"SELECT * FROM {sheet}")
    table(name, " UNION ALL BY NAME ".join(sheets))


def _cells(path: Path, types: dict[str, str], options: str) -> str:
    if not types:
        return f"SELECT * FROM read_xlsx({text(path)}{options})"
    # A cell that does not fit its column makes the reader fail, so the given columns come from a second reading as text.
    con.execute(f"CREATE OR REPLACE TEMP TABLE texts AS FROM read_xlsx({text(path)}{options}, all_varchar=true)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE cells AS FROM read_xlsx({text(path)}{options}, ignore_errors=true)")
    wanted = {column.lower(): type_ for column, type_ in types.items()}
    chosen = [
        f"CAST(texts.{quoted(c)} AS {wanted[c.lower()]}) AS {quoted(c)}"
        if c.lower() in wanted
        else f"cells.{quoted(c)}"
        for c in columns_of("cells")
    ]
    return f"SELECT {', '.join(chosen)} FROM cells POSITIONAL JOIN texts"


def read_sqlite_table(name: str, path: str, source: str) -> None:
    """A table of an SQLite database."""
    load_extension("sqlite_scanner")
    con.execute(f"ATTACH {text(file(path))} AS source (TYPE sqlite, READ_ONLY)")
    try:
        table(name, f"SELECT * FROM source.{quoted(source)}")
    finally:
        con.execute("DETACH source")


def read_sqlite_query(name: str, path: str, query: str) -> None:
    """A query in SQLite's SQL; each column gets the one type that all its values have."""
    with sqlite3.connect(f"file:{file(path)}?mode=ro", uri=True) as database:
        names = [str(each[0]) for each in database.execute(f"SELECT * FROM ({query}\n) LIMIT 0").description]
        kinds = ", ".join(f"group_concat(DISTINCT typeof({quoted(column)}))" for column in names)
        held = database.execute(f"SELECT {kinds} FROM ({query}\n)").fetchone()
        types = [_sqlite_type(set((kind or "").split(",")) - {"null", ""}) for kind in held]
        values = zip(*database.execute(query).fetchall(), strict=True)
        columns = [pa.array(_as(each, type_), type_) for each, type_ in zip(values, types, strict=False)]
    rows = pa.table(columns or [pa.array([], type_) for type_ in types], names=names)
    con.register("rows_in", rows)
    table(name, "SELECT * FROM rows_in")
    con.unregister("rows_in")


def _sqlite_type(kinds: set[str]) -> Any:
    if kinds == {"integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "real"}:
        return pa.float64()
    return pa.binary() if kinds == {"blob"} else pa.string()


def _as(values: tuple[Any, ...], type_: Any) -> list[Any]:
    if type_ == pa.string():
        shown = (value.decode(errors="replace") if isinstance(value, bytes) else value for value in values)
        return [None if value is None else str(value) for value in shown]
    return [None if value is None else float(value) if type_ == pa.float64() else value for value in values]


def read_duckdb(name: str, path: str, query: str) -> None:
    """A query over the tables of a DuckDB database."""
    con.execute(f"ATTACH {text(file(path))} AS source (READ_ONLY)")
    con.execute("USE source")
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE rows_in AS {query}")
    finally:
        con.execute("USE memory")
        con.execute("DETACH source")
    table(name, "SELECT * FROM rows_in")
