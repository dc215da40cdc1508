"""Excel workbooks: one sheet of each, read into a table of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from etlml.compute.names import literal, quoted
from etlml.connectors.sniffing import matched_types
from etlml.errors import DataUnreadable, EtlmlError

LARGEST_WHOLE = 2**53  # beyond it a workbook's numbers are no longer exact


def read_workbooks(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    types: Mapping[str, str],
    *,
    sheet: str | None = None,
    range_: str | None = None,
    header: bool | None = None,
) -> str:
    """Read the sheets into temporary tables; returns the SELECT that unites them by name. Needs the extension excel.

    Raises:
        DataUnreadable: A workbook is damaged, lacks the sheet, or a cell does not fit its column.
        ConfigInvalid: ``types`` names a column that no sheet has.
    """
    options = {"sheet": sheet, "range": range_, "header": header}
    chosen = "".join(f", {name}={literal(value)}" for name, value in options.items() if value is not None)
    for number, path in enumerate(paths):
        try:
            _read(connection, f"workbook{number}", f"{literal(str(path))}{chosen}", types, path)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise _unreadable(path, error) from None
    return " UNION ALL BY NAME ".join(f"SELECT * FROM workbook{number}" for number in range(len(paths)))


def _read(
    connection: duckdb.DuckDBPyConnection, table: str, arguments: str, types: Mapping[str, str], path: Path
) -> None:
    if types:
        # A cell that does not fit its column makes the reader fail, so the given columns come from a second reading as text.
        connection.execute(f"CREATE TEMP TABLE texts AS FROM read_xlsx({arguments}, all_varchar=true)")
        connection.execute(f"CREATE TEMP TABLE cells AS FROM read_xlsx({arguments}, ignore_errors=true)")
        _apply_types(connection, table, types, path)
        connection.execute("DROP TABLE texts; DROP TABLE cells")
    else:
        connection.execute(f"CREATE TEMP TABLE {table} AS FROM read_xlsx({arguments})")
    _whole_numbers(connection, table, set(types))


def _apply_types(connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], path: Path) -> None:
    columns = {str(row[0]): str(row[1]) for row in connection.execute("DESCRIBE cells").fetchall()}
    given = matched_types(types, columns, where=f"the sheet of {path}")
    lost = [name for name in columns if name not in given and _lost_cells(connection, name)]
    if lost:
        raise DataUnreadable(
            f"The file {path} cannot be read. Column {lost[0]!r} has cells that are not of type {columns[lost[0]]}. "
            f"Read it as text with types: {{{lost[0]}: VARCHAR}}.",
            column=lost[0],
        )
    chosen = [
        f"CAST(texts.{quoted(name)} AS {given[name]}) AS {quoted(name)}" if name in given else f"cells.{quoted(name)}"
        for name in columns
    ]
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT {', '.join(chosen)} FROM cells POSITIONAL JOIN texts")


def _lost_cells(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    counts = connection.execute(
        f"SELECT count(cells.{quoted(name)}), count(texts.{quoted(name)}) FROM cells POSITIONAL JOIN texts"
    ).fetchall()[0]
    return bool(counts[0] < counts[1])


def _whole_numbers(connection: duckdb.DuckDBPyConnection, table: str, given: set[str]) -> None:
    """Make columns of whole numbers integers: a workbook knows no integers, only numbers."""
    rows = connection.execute(f"DESCRIBE {table}").fetchall()
    numbers = [
        str(row[0])
        for row in rows
        if row[1] == "DOUBLE" and str(row[0]).lower() not in {name.lower() for name in given}
    ]
    if not numbers:
        return
    tests = [
        f"bool_and({quoted(name)} = trunc({quoted(name)}) AND abs({quoted(name)}) < {LARGEST_WHOLE})"
        for name in numbers
    ]
    whole = connection.execute(f"SELECT {', '.join(tests)} FROM {table}").fetchall()[0]
    for name, is_whole in zip(numbers, whole, strict=True):
        if is_whole:
            connection.execute(f"ALTER TABLE {table} ALTER {quoted(name)} TYPE BIGINT")


def _unreadable(path: Path, error: duckdb.Error) -> EtlmlError:
    text = str(error).split(" Error: ", 1)[-1].split("\n\nLINE")[0].strip()
    if "open zip" in text or "not a valid xlsx" in text.lower():
        return DataUnreadable(
            f"The file {path} is not an Excel workbook (.xlsx), or it is damaged. Save it again as .xlsx.",
            path=str(path),
        )
    if isinstance(error, duckdb.ConversionException | duckdb.InvalidInputException):
        text += (
            "\nRead the column as text with types: {column: VARCHAR}, or choose the table with range, such as A1:F100."
        )
    return DataUnreadable(f"The file {path} cannot be read. {text}", path=str(path))
