"""Types without data: DuckDB binds SQL over empty, typed tables and says which columns come out."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from etlml.compute.names import quoted
from etlml.compute.parse import Node, Unbound, in_parser, marked
from etlml.compute.schema import Schema
from etlml.errors import ColumnMissing, EtlmlError, ExpressionInvalid

UNKNOWN = ""
"""The type of a column whose type is not known."""

_HEAD = "DESCRIBE SELECT (\n"
_QUERY_HEAD = "DESCRIBE SELECT * FROM (\n"


def bound_schema(sql: str, tables: Mapping[str, Schema]) -> Schema | None:
    """The columns that a SELECT of our own making gives over tables with these columns; None if a type is not known.

    Raises:
        ExpressionInvalid: DuckDB cannot bind it.
    """
    if not _typed(tables.values()):
        return None
    return _bound(sql, tuple(tables.items()), _QUERY_HEAD, "", "the query")


def bound_query(text: str, tables: Mapping[str, Schema], *, where: str) -> Schema | None:
    """The same for a query that a user wrote; errors mark the position in ``text``."""
    if not _typed(tables.values()):
        return None
    return _bound(text, tuple(tables.items()), _QUERY_HEAD, text, where)


def bound_type(text: str, schema: Schema, *, where: str) -> str | None:
    """The type of an expression over these columns; None if the type of a column is not known.

    Raises:
        ExpressionInvalid, ColumnMissing: DuckDB cannot bind it; the position is marked.
    """
    if not _typed([schema]):
        return None
    return _bound(text, (("input", schema),), _HEAD, text, where).columns[0].type


def _typed(schemas: Iterable[Schema]) -> bool:
    return all(column.type != UNKNOWN for schema in schemas for column in schema)


@lru_cache(maxsize=2048)
def _bound(text: str, tables: tuple[tuple[str, Schema], ...], head: str, shown: str, where: str) -> Schema:
    if head == _HEAD:
        tail = f"\n) FROM ({_rows(tables[0][1])}) AS {quoted(tables[0][0])}"
    else:
        sources = ", ".join(f"{quoted(name)} AS ({_rows(schema)})" for name, schema in tables)
        head = f"DESCRIBE WITH {sources} SELECT * FROM (\n" if sources else head
        tail = '\n) AS "~result"'
    try:
        rows = in_parser(f"{head}{text}{tail}")
    except Unbound as error:
        raise _explained(error.complaint, shown, len(head.encode()), tables, where) from None
    return Schema.of([(str(row[0]), str(row[1])) for row in rows])


@lru_cache(maxsize=256)
def _rows(schema: Schema) -> str:
    columns = ", ".join(f"CAST(NULL AS {column.type}) AS {quoted(column.name)}" for column in schema)
    return f"SELECT {columns or 'NULL'} LIMIT 0"


def _explained(found: Node, text: str, start: int, tables: tuple[tuple[str, Schema], ...], where: str) -> EtlmlError:
    """DuckDB's complaint in terms of the text that the user wrote."""
    message = str(found.get("exception_message", "")).strip().split("\n")[0]
    message = message.removesuffix(" You might need to add explicit type casts.")
    subtype, name = found.get("error_subtype"), str(found.get("name", ""))
    position = found.get("position")
    at = int(position) - start if position is not None and text else None
    at = at if at is not None and 0 <= at <= len(text.encode()) else None
    if subtype == "COLUMN_NOT_FOUND" and name:
        names = sorted({column for _, schema in tables for column in schema.names})
        missing = ColumnMissing(name, names)
        if at is not None:
            missing.message, details = marked(missing.message, text, at)
            missing.args = (missing.message,)
            missing.details |= details
        return missing
    sentence = where[:1].upper() + where[1:]
    mend = " Cast the values to the types that it takes." if found.get("call") else ""
    if "must appear in the GROUP BY" in message:
        mend = " Put it into by, or wrap it in an aggregate function such as any_value()."
    if at is None and not text:
        return ExpressionInvalid(f"{message[:1].upper()}{message[1:]}{mend}")
    if at is None:
        return ExpressionInvalid(f"{sentence} cannot be used: {message}{mend}")
    marked_message, details = marked(f"{sentence} cannot be used: {message}{mend}", text, at)
    return ExpressionInvalid(marked_message, **details)
