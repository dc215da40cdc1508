"""Rows added to a file that is there: appended, or merged by keys."""

import gzip
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from etlml.compute.names import literal, quoted
from etlml.connectors.base import Writing
from etlml.connectors.columns import Pair, matched, refuse_bad_keys, refuse_lossy, selection
from etlml.connectors.file_formats import Held, copy_options, held_by
from etlml.connectors.formats import FileKind
from etlml.connectors.packed import CHUNK, opened
from etlml.connectors.stopping import refuse_cancelled


def add_rows(
    connection: duckdb.DuckDBPyConnection, staged: Path, target: Path, kind: FileKind, writing: Writing
) -> int:
    """Stage what the target is to hold: its rows and the incoming ones. Returns the number of incoming rows.

    Raises:
        LoadFailed: They do not fit together.
    """
    connection.execute(f"CREATE TEMP VIEW incoming AS SELECT * FROM read_parquet({literal(str(writing.checkpoint))})")
    if writing.mode == "merge":
        refuse_bad_keys(connection, "incoming", writing.keys)
    held = held_by(connection, target, kind, writing.relation.schema) if target.exists() else None
    rows = int(connection.execute("SELECT count(*) FROM incoming").fetchall()[0][0])
    if held is None:
        _copy(connection, "SELECT * FROM incoming", staged, copy_options(kind))
        return rows
    pairs = matched(writing.relation.schema, held.schema, str(target))
    if kind.format in ("parquet", "excel"):
        refuse_lossy(connection, "incoming", pairs, str(target))
    new = f"SELECT {selection(pairs, held.as_held)} FROM incoming"
    if writing.mode == "append" and _can_grow(held, kind):
        _grown(connection, f"SELECT {_in_order(pairs)} FROM incoming", staged, target, kind, held, writing)
        return rows
    kept = held.query if writing.mode == "append" else without_keys(held, new, writing.keys)
    delimiter = held.layout.delimiter if held.layout else None
    _copy(connection, f"{kept} UNION ALL {new}", staged, copy_options(kind, delimiter=delimiter))
    return rows


def without_keys(held: Held, new: str, keys: tuple[str, ...]) -> str:
    """The rows held whose keys no incoming row has."""
    same = " AND ".join(f"{held.as_key(f'held.{quoted(key)}')} = {held.as_key(f'fresh.{quoted(key)}')}" for key in keys)
    return f"SELECT held.* FROM ({held.query}) AS held ANTI JOIN ({new}) AS fresh ON {same}"


def _in_order(pairs: Sequence[Pair]) -> str:
    return ", ".join(f"{quoted(pair.incoming.name)} AS {quoted(pair.held.name)}" for pair in pairs)


def _can_grow(held: Held, kind: FileKind) -> bool:
    ends_lines_alike = held.layout is None or held.layout.new_line != "\\r\\n"
    return kind.format in ("csv", "tsv", "jsonl") and ends_lines_alike


def _grown(
    connection: duckdb.DuckDBPyConnection,
    new: str,
    staged: Path,
    target: Path,
    kind: FileKind,
    held: Held,
    writing: Writing,
) -> None:
    """The target's bytes as they are, then the new lines: packed files may be put one behind the other too."""
    piece = writing.own_file(f".{kind.format}")
    try:
        delimiter = held.layout.delimiter if held.layout else None
        _copy(connection, new, piece, copy_options(kind, header=False, delimiter=delimiter))
        with staged.open("wb") as whole:
            for part in (target, piece):
                if part is piece and not _ends_line(target, kind.packing):
                    whole.write(_line_end(kind.packing))
                with part.open("rb") as source:
                    shutil.copyfileobj(source, whole, 4 * CHUNK)
                refuse_cancelled(writing.cancelled)
    finally:
        piece.unlink(missing_ok=True)


def _ends_line(path: Path, packing: str | None) -> bool:
    if packing is None:
        with path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"\n"
    last = b""
    with opened(path, packing) as file:  # read to its end, which proves it whole besides
        while chunk := file.read(CHUNK):
            last = chunk[-1:]
    return last in (b"\n", b"")


def _line_end(packing: str | None) -> bytes:
    if packing == "gzip":
        return gzip.compress(b"\n")
    if packing == "zstd":
        return bytes(pa.compress(b"\n", codec="zstd", asbytes=True))
    return b"\n"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, target: Path, options: str) -> None:
    connection.execute(f"COPY ({query}) TO {literal(str(target))} ({options})")
