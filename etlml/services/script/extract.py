"""Extract steps in a script."""

import re
from pathlib import Path
from typing import Any

from etlml.compute.names import literal, quoted
from etlml.compute.schema import Schema
from etlml.compute.scratch import scratch
from etlml.connectors.duckdb_source import DuckdbSource
from etlml.connectors.file_source import Files, FileSource
from etlml.connectors.formats import FileKind
from etlml.connectors.inline_source import InlineSource
from etlml.connectors.packed import codec_name, lay_out
from etlml.connectors.places import found_files
from etlml.connectors.sniffing import paths_list, type_names
from etlml.connectors.sqlite_source import SqliteSource
from etlml.errors import StateConflict
from etlml.services.script.pieces import Body, Piece, Sql, Value, call
from etlml.steps.extract import ExtractConfig

_STRUCT = re.compile(r"columns=(\{.*?\})(?=[,)])", re.DOTALL)
_PLAIN_NAMES = re.compile(r"[^'\\{}]*")


def extract_body(
    step: str, config: ExtractConfig, real: ExtractConfig, schema: Schema | None, how: str, data_dir: Path
) -> Body:
    """What an extract step does.

    Args:
        config: Its configuration, in which marks may stand for references.
        real: The same with the real values, by which files are found.
        how: ``view`` or ``table``.
    """
    source, body = config.source, Body()
    if isinstance(source, FileSource) and isinstance(real.source, FileSource):
        _files(step, source, real.source, how, data_dir, body)
    elif isinstance(source, SqliteSource):
        which = (
            ("read_sqlite_query", source.query.strip().rstrip(";"))
            if source.query
            else ("read_sqlite_table", source.table)
        )
        body.add(*call(which[0], Value(step), Value(source.path), Value(which[1])))
    elif isinstance(source, DuckdbSource):
        query = source.query.strip().rstrip(";") if source.query else f"SELECT * FROM {_qualified(str(source.table))}"
        body.add("read_duckdb(", Value(step), ", ", Value(source.path), ", ", Sql(query), ")")
    elif isinstance(source, InlineSource) and schema is not None:
        body.add("table(", Value(step), ", ", Sql(_values(source, schema)), ")")
    else:
        kind = getattr(source, "kind", type(source).__name__)
        raise StateConflict(
            f"Step {step!r} reads from {kind}, which a script cannot do by itself. Load its rows into a file first, "
            "and begin the exported pipeline there.",
            step=step,
        )
    return body


def _qualified(name: str) -> str:
    return ".".join(quoted(part) for part in name.split("."))


def _values(source: InlineSource, schema: Schema) -> str:
    """The rows as typed VALUES."""
    rows = ",\n".join("(" + ", ".join(_literal(row.get(column.name)) for column in schema) + ")" for row in source.rows)
    casts = ", ".join(f"CAST({quoted(column.name)} AS {column.type}) AS {quoted(column.name)}" for column in schema)
    names = ", ".join(quoted(column.name) for column in schema)
    return f"SELECT {casts} FROM (VALUES {rows}) AS given ({names})"


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(str(key))}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return literal(value)


def _files(step: str, source: FileSource, real: FileSource, how: str, data_dir: Path, body: Body) -> None:
    paths = found_files(real.path, data_dir)
    files = real.with_kinds(paths)
    format_ = real.one_format(files)
    if format_ == "excel":
        options = {"sheet": source.sheet, "range": source.range, "header": source.header}
        given = "".join(f", {name}={literal(value)}" for name, value in options.items() if value is not None)
        types = Value(type_names(source.types))
        more: list[Piece] = [", ", Value(given)] if given else []
        body.add("read_excel(", Value(step), ", found(", Value(source.path), "), ", types, *more, ")")
        return
    if source.model_copy(update={"path": real.path}) != real:
        raise StateConflict("The options of a source are part of its query.", step=step)
    if real.must_lay_out(files):
        query = _laid_out(source, real, files, body)
    else:
        query = real.query_of(files, format_, codec_name(real.encoding))
        whole = paths_list(paths)
        body.add("paths = files(", Value(source.path), ")")
        query = query.replace(whole, "⟦paths⟧")
        if "⟦paths⟧" not in query:  # files that look different are read in groups
            body.statements.clear()
            for path in paths:
                query = query.replace(literal(str(path)), f"⟦text(file({_relative(path, data_dir)!r}))⟧")
    query = _short(query, body)
    body.add(f"{how}(", Value(step), ", ", Sql(query), ")")


def _relative(path: Path, data_dir: Path) -> str:
    return path.relative_to(data_dir).as_posix() if path.is_relative_to(data_dir) else str(path)


def _laid_out(source: FileSource, real: FileSource, files: Files, body: Body) -> str:
    """The query over plain copies of packed or foreign-encoded files."""
    packings = {kind.packing or "" for _, kind in files}
    if len(packings) > 1 or "zstd" in packings:
        raise StateConflict(
            "Files packed in different ways, or as .zst in a foreign encoding, cannot be read by a script. Unpack them."
        )
    format_, (packing,), codec = real.one_format(files), packings, codec_name(real.encoding)
    with scratch("script") as folder:
        plain: Files = []
        for number, (path, kind) in enumerate(files):
            target = folder / f"{number}.{kind.format}"
            lay_out(path, kind, codec, target, lambda: False)
            plain.append((target, FileKind(kind.format)))
        query = real.query_of(plain, format_, "utf-8")
        whole = paths_list([path for path, _ in plain])
    if whole not in query:
        raise StateConflict("Packed files that look different from each other cannot be read by a script. Unpack them.")
    body.add("paths = unpacked(", Value(source.path), f", {f'.{format_}'!r}, {packing!r}, {codec!r})")
    return query.replace(whole, "⟦paths⟧")


def _short(query: str, body: Body) -> str:
    """The query with the columns' types as a variable, and a star where all columns are listed."""
    structs = list(dict.fromkeys(_STRUCT.findall(query)))
    for number, struct in enumerate(structs, start=1):
        pairs = re.findall(r"'((?:[^']|'')*)': '((?:[^']|'')*)'", struct)
        if not all(
            _PLAIN_NAMES.fullmatch(part) and part.isprintable() and '"' not in part for pair in pairs for part in pair
        ):
            continue
        name = "columns" if len(structs) == 1 else f"columns{number}"
        body.add(f"{name} = ", Value(dict(pairs)))
        listed = ", ".join(quoted(column) for column, _ in pairs)
        query = query.replace(f"columns={struct}", f"columns=⟦{name}⟧")
        query = query.replace(f"SELECT {listed} FROM read_csv(", "SELECT * FROM read_csv(")
    return query
