"""CSV and TSV files as one query with explicit columns: a look into each file, then nothing is guessed any more."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from etlml.compute.names import literal, quoted
from etlml.compute.reading_errors import undecodable
from etlml.compute.translate import translated
from etlml.connectors.packed import LATIN1, UTF8, beginning
from etlml.connectors.sniffing import column_struct, matched_types, one_row, paths_list, sample_rows, sniffer
from etlml.errors import DataUnreadable

DELIMITERS = (",", "\t", ";", "|")
BEGINNING = 1 << 16
_WIDER = (
    ("BOOLEAN",),
    ("BIGINT", "HUGEINT", "DOUBLE"),
    ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
    ("TIME",),
)


@dataclass(frozen=True)
class CsvOptions:
    """What the user said about the files."""

    header: bool | None = None
    delimiter: str | None = None
    null_values: tuple[str, ...] | None = None
    types: tuple[tuple[str, str], ...] = ()
    codec: str = "utf-8"


@dataclass(frozen=True)
class Layout:
    """What one file looks like."""

    columns: tuple[tuple[str, str], ...]
    delimiter: str
    header: bool
    new_line: str | None = None
    date_format: str | None = None
    timestamp_format: str | None = None
    has_rows: bool = field(default=True, compare=False)

    @property
    def dialect(self) -> tuple[Any, ...]:
        """Files that agree in this can be read together."""
        names = tuple(name for name, _ in self.columns)
        return (names, self.delimiter, self.header, self.new_line, self.date_format, self.timestamp_format)


def csv_query(files: Sequence[tuple[Path, str | None]], options: CsvOptions, *, hive: bool) -> str:
    """The SELECT over files (each with its packing), in their order; columns are united by name.

    Raises:
        DataUnreadable: A file's first rows cannot be read.
        ConfigInvalid: ``types`` names a column that no file has.
    """
    layouts = [(path, layout_of(path, packing, options)) for path, packing in files]
    columns = united_columns([layout for _, layout in layouts])
    columns |= matched_types(dict(options.types), columns, where=_where([path for path, _ in files]))
    groups = [list(group) for _, group in groupby(layouts, key=lambda each: each[1].dialect)]
    return " UNION ALL ".join(_select(group, columns, options, hive) for group in groups)


def layout_of(path: Path, packing: str | None, options: CsvOptions) -> Layout:
    """Look into a file; what was seen is remembered while the file stays as it is."""
    stat = path.stat()
    return _layout(path, packing, options, stat.st_size, stat.st_mtime_ns)


def united_columns(layouts: Sequence[Layout]) -> dict[str, str]:
    """All columns in order of appearance, each with the narrowest type that holds it in every file that has rows."""
    telling = [layout for layout in layouts if layout.has_rows] or layouts
    united: dict[str, str] = {name: type_ for layout in layouts for name, type_ in layout.columns}
    seen: dict[str, set[str]] = {name: set() for name in united}
    for layout in telling:
        for name, type_ in layout.columns:
            seen[name].add(type_)
    return {name: wider(types) if (types := seen[name]) else united[name] for name in united}


def wider(types: set[str]) -> str:
    """The narrowest of DuckDB's sniffed types that holds values of all of them; text if there is none."""
    if len(types) == 1:
        return next(iter(types))
    for family in _WIDER:
        if types <= set(family):
            return max(types, key=family.index)
    return "VARCHAR"


@lru_cache(maxsize=2000)
def _layout(path: Path, packing: str | None, options: CsvOptions, _size: int, _mtime_ns: int) -> Layout:
    text = _first_text(path, packing, options.codec)
    delimiter = options.delimiter or likely_delimiter(text)
    try:
        seen = one_row(_sniff(path, packing, replace(options, delimiter=delimiter)))
    except duckdb.Error as error:
        raise _diagnosed(path, text, delimiter, options, error) from None
    return Layout(
        columns=tuple((str(column["name"]), str(column["type"])) for column in seen["Columns"]),
        delimiter=delimiter,
        header=bool(seen["HasHeader"]),
        new_line=seen["NewLineDelimiter"] if seen["NewLineDelimiter"] in ("\\n", "\\r\\n") else None,
        date_format=seen["DateFormat"],
        timestamp_format=seen["TimestampFormat"],
        has_rows=not seen["HasHeader"] or "\n" in text.strip(),
    )


def _first_text(path: Path, packing: str | None, codec: str) -> str:
    start = beginning(path, packing, BEGINNING)
    if not start:
        raise DataUnreadable(
            f"The file {path} is empty inside. Put the data there, or correct the path.", path=str(path)
        )
    return start.decode("utf-8-sig" if codec in UTF8 else codec, errors="replace")


def likely_delimiter(text: str) -> str:
    """The delimiter that cuts the first lines into the most fields of which every line has the same number; a comma in doubt."""

    def score(delimiter: str) -> tuple[float, int]:
        rows = _parsed(text, delimiter, 20)
        width = len(rows[0]) if rows else 1
        return (sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0, width)

    return max(DELIMITERS, key=score)


def _parsed(text: str, delimiter: str, most: int) -> list[list[str]]:
    rows: list[list[str]] = []
    whole_lines = text[: text.rfind("\n") + 1] or text
    try:
        for row in csv.reader(io.StringIO(whole_lines, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == most:
                break
    except csv.Error:
        return rows[:1]
    return rows


def _sniff(path: Path, packing: str | None, options: CsvOptions) -> str:
    arguments = [literal(str(path)), *_dialect(options), f"sample_size={sample_rows(path, packed=packing is not None)}"]
    if options.header is not None:
        arguments.append(f"header={literal(options.header)}")
    return f"SELECT * FROM sniff_csv({', '.join(arguments)})"


def _dialect(options: CsvOptions) -> list[str]:
    # Everything that the sniffer would bend to make a broken file fit is fixed: it skipped 50 good lines before one bad.
    arguments = [f"delim={literal(options.delimiter)}", "quote='\"'", "escape='\"'", "comment=''", "skip=0"]
    if options.null_values is not None:
        arguments.append(f"nullstr={literal(list(options.null_values))}")
    if options.codec == LATIN1:
        arguments.append("encoding='latin-1'")
    return arguments


def _select(group: Sequence[tuple[Path, Layout]], columns: Mapping[str, str], options: CsvOptions, hive: bool) -> str:
    layout = group[0][1]
    own = {name: columns[name] for name, _ in layout.columns}
    arguments = [
        paths_list([path for path, _ in group]),
        "auto_detect=false",
        f"columns={column_struct(own)}",
        f"header={literal(layout.header)}",
        *_dialect(replace(options, delimiter=layout.delimiter)),
    ]
    formats = {
        "new_line": layout.new_line,
        "dateformat": layout.date_format,
        "timestampformat": layout.timestamp_format,
    }
    arguments += [f"{name}={literal(value)}" for name, value in formats.items() if value]
    if hive:
        arguments.append("hive_partitioning=true")
    names = [
        quoted(name) if name in own else f"CAST(NULL AS {type_}) AS {quoted(name)}" for name, type_ in columns.items()
    ]
    if hive:
        names.append(f"* EXCLUDE ({', '.join(quoted(name) for name in own)})")  # what the folders' names tell
    return f"SELECT {', '.join(names)} FROM read_csv({', '.join(arguments)})"


def _diagnosed(path: Path, text: str, delimiter: str, options: CsvOptions, error: duckdb.Error) -> Exception:
    """Why the sniffer gave up, which it does not say: read everything as text until the line that is wrong."""
    width = len(next(iter(_parsed(text, delimiter, 1)), [""]))
    columns = column_struct({f"column{number}": "VARCHAR" for number in range(width)})
    dialect = _dialect(replace(options, delimiter=delimiter))
    arguments = [literal(str(path)), "auto_detect=false", f"columns={columns}", "header=false", *dialect]
    scan = f"SELECT count(column0) FROM read_csv({', '.join(arguments)})"
    with sniffer() as cursor:
        try:
            cursor.execute(scan).fetchall()
        except duckdb.Error as found:
            return translated(found)
    if "unicode" in str(error).lower() or "utf-8 encoded" in str(error):
        return undecodable(path, 1)
    return DataUnreadable(
        f"The file {path} cannot be read as CSV with the delimiter {delimiter!r}. "
        "Set delimiter, header or encoding, or correct the file.",
        path=str(path),
    )


def _where(paths: Sequence[Path]) -> str:
    return f"the file {paths[0]}" if len(paths) == 1 else f"every one of the {len(paths)} files"
