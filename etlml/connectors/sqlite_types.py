"""How DuckDB's types are kept in SQLite: dates and times as ISO text, booleans as 0 and 1, nested values as JSON."""

import re

import duckdb

from etlml.compute.names import quoted
from etlml.compute.schema import Column, Schema

DIGITS_OF_DOUBLE = 15
_SMALL = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
_HUGE = frozenset({"HUGEINT", "UHUGEINT", "UBIGINT"})
_DECIMAL = re.compile(r"DECIMAL\((\d+),")


def kept_types(connection: duckdb.DuckDBPyConnection, rows: str, incoming: Schema) -> dict[str, str]:
    """The declared type of each column of a new table: of long numbers, a numeric one if it holds all of them exactly."""
    declared = {column.name: _declared(column.type) for column in incoming}
    long = [(column, "BIGINT" if column.type in _HUGE else "DOUBLE") for column in incoming if _is_long(column.type)]
    if long:
        tests = [_survives(quoted(column.name), column.type, type_) for column, type_ in long]
        fits = connection.execute(f"SELECT {', '.join(tests)} FROM {rows}").fetchall()[0]
        declared |= {column.name: type_ for (column, type_), fit in zip(long, fits, strict=True) if fit is not False}
    return declared


def _survives(name: str, type_: str, kept: str) -> str:
    return f"bool_and(TRY_CAST(TRY_CAST({name} AS {kept}) AS {type_}) IS NOT DISTINCT FROM {name})"


def as_kept(column: Column) -> str:
    """The SQL that turns an incoming column into the form in which SQLite keeps it, before the cast to the held type."""
    name, type_ = quoted(column.name), column.type
    if type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION")):
        return f"CAST(to_json({name}) AS VARCHAR)"
    if type_ == "BOOLEAN":
        return f"CAST({name} AS BIGINT)"
    return name


def held_type(declared: str, incoming: str) -> str:
    """DuckDB's type for the values of a column, by SQLite's rules of affinity; dates and times by the declared name."""
    words = declared.upper()
    if not words:
        return held_type(_declared(incoming), incoming)
    if "INT" in words or "BOOL" in words:
        return "BIGINT"
    if words.startswith(("TIMESTAMP", "DATETIME")):
        return "TIMESTAMP"
    if words == "DATE":
        return "DATE"
    if any(word in words for word in ("CHAR", "CLOB", "TEXT", "TIME", "JSON", "UUID")):
        return "VARCHAR"
    if "BLOB" in words:
        return "BLOB"
    is_whole = incoming in _SMALL | _HUGE and not any(word in words for word in ("REAL", "FLOA", "DOUB"))
    return "BIGINT" if is_whole else "DOUBLE"


def bound(expression: str, held: str) -> str:
    """A value of a held type as SQLite takes it in: dates and times as ISO text."""
    return (
        f"CAST(CAST({expression} AS {held}) AS VARCHAR)"
        if held in ("DATE", "TIMESTAMP")
        else f"CAST({expression} AS {held})"
    )


def _is_long(type_: str) -> bool:
    decimal = _DECIMAL.match(type_)
    return type_ in _HUGE or (decimal is not None and int(decimal[1]) > DIGITS_OF_DOUBLE)


def _declared(type_: str) -> str:
    if type_ in _SMALL:
        return "BIGINT"
    if type_ in ("BOOLEAN", "DATE", "BLOB"):
        return type_
    if type_ in ("FLOAT", "DOUBLE"):
        return "DOUBLE"
    if type_.startswith("TIMESTAMP") and type_ != "TIMESTAMP WITH TIME ZONE":
        return "TIMESTAMP"
    if (decimal := _DECIMAL.match(type_)) and int(decimal[1]) <= DIGITS_OF_DOUBLE:
        return "DOUBLE"
    return "VARCHAR"
