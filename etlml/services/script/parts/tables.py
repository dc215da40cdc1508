"""The DuckDB database, its tables and the files around it."""

import re
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

con = duckdb.connect()
here = SimpleNamespace(data=Path(), work=Path(tempfile.gettempdir()))  # main() sets both
paths: dict[str, Path] = {}  # where the rows of each computed table lie


class Failed(Exception):
    """A step cannot be done; the message says why."""


def view(name: str, sql: str) -> None:
    """Name a query; it is computed with the step that uses it."""
    con.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {sql}")


def table(name: str, sql: str) -> None:
    """Compute a query into a Parquet file of the working folder, and name it."""
    paths[name] = here.work / f"{name}.parquet"
    types = {column: type_ for column, type_, *_ in con.execute(f"DESCRIBE {sql}").fetchall()}
    # Parquet has no integers of 128 bits.
    wide = [column for column, type_ in types.items() if type_ in ("HUGEINT", "UHUGEINT")]
    casts = ", ".join(f"CAST({quoted(column)} AS DECIMAL(38, 0)) AS {quoted(column)}" for column in wide)
    rows = f"SELECT * {f'REPLACE ({casts})' if wide else ''} FROM ({sql})"
    con.execute(f"COPY ({rows}) TO {text(paths[name])} (FORMAT parquet)")
    view(name, f"SELECT * FROM read_parquet({text(paths[name])})")


def same(name: str, of: str) -> None:
    """Another name for a table: the step passes its rows on."""
    paths[name] = paths[of]
    view(name, f"SELECT * FROM read_parquet({text(paths[name])})")


def columns_of(name: str) -> dict[str, str]:
    """The columns of a table with their types."""
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE SELECT * FROM {name}").fetchall()}


def count(name: str) -> int:
    """How many rows a table has."""
    return int(con.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()[0][0])


def file(path: str) -> Path:
    """A path; a relative one starts at the data folder."""
    return Path(here.data / Path(path).expanduser()).absolute()


def files(*patterns: str) -> str:
    """The files of a path, a glob or a folder as a list that DuckDB's readers take."""
    return "[" + ", ".join(text(path) for pattern in patterns for path in found(pattern)) + "]"


def found(pattern: str) -> list[Path]:
    """The files that a path, a glob or a folder stands for, in order."""
    start = file(pattern)
    if start.is_file():
        return [start]
    inside: list[Path] = []
    if start.is_dir():
        inside = [
            each for each in start.rglob("*") if not any(p.startswith(".") for p in each.relative_to(start).parts)
        ]
    elif re.search(r"[*?\[]", pattern):
        fixed = Path(*start.parts[: _first_magic(start)])
        inside = list(fixed.glob(str(start.relative_to(fixed))))
    matches = sorted(each for each in inside if each.is_file())
    if not matches:
        raise Failed(f"There is no file {start}. Give the data folder with --data.")
    return matches


def _first_magic(path: Path) -> int:
    return next((place for place, part in enumerate(path.parts) if re.search(r"[*?\[]", part)), len(path.parts))


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: Any) -> str:
    """A text as SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def load_extension(name: str) -> None:
    """Load an extension of DuckDB: one that is there, one of the package duckdb-extensions, or one from the internet."""
    try:
        con.load_extension(name)
    except duckdb.Error:
        try:
            from duckdb_extensions import import_extension  # type: ignore[import-untyped]

            import_extension(name)
        except ImportError:
            con.install_extension(name)
        con.load_extension(name)


def pivot_cells(rows: str, column: str, *, is_count: bool) -> str:
    """One column for each value of a column, in their order."""
    on = quoted(column)
    sql = f"SELECT CAST({on} AS VARCHAR) FROM {quoted(rows)} WHERE {on} IS NOT NULL GROUP BY {on} ORDER BY {on}"
    cells = []
    for name in dict.fromkeys(str(name) for (name,) in con.execute(sql).fetchall()):
        value = f'any_value("~cell") FILTER (WHERE "~on" = {text(name)})'
        cells.append(f"{f'coalesce({value}, 0)' if is_count else value} AS {quoted(name)}")
    return ", ".join(cells)
