"""User SQL, checked before it runs anywhere: one expression or one SELECT, known columns, nothing outside its inputs.

This is the first wall; the session that runs the SQL (no file access, locked configuration) is the second. The text is
read by DuckDB's own parser and what comes back unchanged is the text itself: no other reading of it can differ.
Whatever is on no list here (kinds of nodes, functions, tables) is refused.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from etlml.compute.binding import bound_query, bound_type
from etlml.compute.parse import expression_tree, query_tree
from etlml.compute.query_lineage import query_lineage
from etlml.compute.schema import Schema
from etlml.compute.sql_functions import VALUE_KEYWORDS, VOLATILE
from etlml.compute.sql_walk import Allowed, Found, Walk
from etlml.compute.windowing import with_over


def checked_expression(
    text: str,
    schema: Schema | None,
    *,
    where: str = "expression",
    windows: bool = False,
    aggregates: bool = False,
) -> str:
    """One expression over the columns of ``schema``, safe to embed; it may need parentheses to keep its precedence.

    Args:
        schema: The columns that it may use; None while they are not known, then only its structure is checked.
        where: What the expression is, for messages.
        windows: Whether functions with OVER may stand in it.
        aggregates: Whether aggregate functions may stand in it.

    Raises:
        ExpressionInvalid: It cannot be parsed, its types do not fit, or a function is unknown; with the position.
        ColumnMissing: It uses a column that is not there.
        SqlRefused: It holds more than one expression, a subquery, or something that reaches outside the row.
    """
    _expression(text, schema, where, windows, aggregates)
    return _embeddable(text)


def windowed_expression(text: str, schema: Schema | None, over: str, *, where: str = "expression") -> str:
    """One expression whose aggregate and window functions get this ``OVER (...)`` unless they have one of their own.

    Raises:
        ExpressionInvalid, ColumnMissing, SqlRefused: As for ``checked_expression``.
    """
    _expression(text, schema, where, True, True, True)
    return checked_expression(with_over(text, over, where=where), schema, where=where, windows=True)


def expression_columns(text: str, schema: Schema | None) -> tuple[str, ...]:
    """The columns that a checked expression uses, as ``schema`` spells them, in order of first use."""
    return tuple(_expression(text, schema, "expression", True, True, True).columns)


def expression_type(text: str, schema: Schema, *, where: str = "expression") -> str | None:
    """The type of a checked expression; None if the type of a column is not known."""
    return bound_type(text, schema, where=where)


def is_volatile(text: str, *, query: bool = False) -> bool:
    """Whether a checked expression or query gives something else on the same rows tomorrow (now(), random(), ...)."""
    tree = query_tree(_without_semicolon(text), where="query") if query else expression_tree(text, where="expression")
    return any(name in VOLATILE or name in VALUE_KEYWORDS for name in _called_names(tree))


def _called_names(node: object) -> Iterator[str]:
    """The functions in a tree, and the bare words, which may be functions too."""
    if isinstance(node, list):
        for item in node:
            yield from _called_names(item)
    elif isinstance(node, dict):
        if "function_name" in node:
            yield str(node["function_name"]).lower()
        elif len(node.get("column_names", ())) == 1:
            yield str(node["column_names"][0]).lower()
        for item in node.values():
            yield from _called_names(item)


def checked_query(text: str, tables: Mapping[str, Schema | None], *, where: str = "query") -> str:
    """One SELECT over only these tables, safe to embed within parentheses.

    Raises:
        ExpressionInvalid, ColumnMissing, SqlRefused: As for ``checked_expression``.
    """
    text = _without_semicolon(text)
    _query_found(text, tuple(tables), where)
    known = _known(tables)
    if known is not None:
        bound_query(text, known, where=where)
    return _embeddable(text)


def output_columns(text: str, tables: Mapping[str, Schema | None], *, where: str = "query") -> Schema | None:
    """The columns that a query gives; None where they cannot be told before the tables' columns are known."""
    text = checked_query(text, tables, where=where)
    known = _known(tables)
    return None if known is None else bound_query(text.strip(), known, where=where)


def used_tables(text: str, tables: Mapping[str, Schema | None], *, where: str = "query") -> tuple[str, ...]:
    """Which of the tables a query reads."""
    return tuple(_query_found(_without_semicolon(text), tuple(tables), where).tables)


def lineage(text: str, tables: Mapping[str, Schema]) -> dict[str, list[tuple[str, str]]]:
    """From which (table, column) each output column of a query takes its values."""
    output = output_columns(text, tables)
    names = output.names if output is not None else ()
    return query_lineage(_without_semicolon(text), tables, names, used=used_tables(text, tables))


def _known(tables: Mapping[str, Schema | None]) -> dict[str, Schema] | None:
    known = {name: schema for name, schema in tables.items() if schema is not None}
    return known if len(known) == len(tables) else None


def _without_semicolon(text: str) -> str:
    return text.rstrip().rstrip(";").rstrip() if text.rstrip().endswith(";") else text


def _embeddable(text: str) -> str:
    """The text itself; a comment at its end must not swallow what the caller writes after it."""
    text = text.strip()
    return f"{text}\n" if "--" in text else text


@lru_cache(maxsize=4096)
def _expression(
    text: str, schema: Schema | None, where: str, windows: bool, aggregates: bool, bare_windows: bool = False
) -> Found:
    tree = expression_tree(text, where=where)
    found = Found()
    allowed = Allowed(where, text, schema, windows=windows, aggregates=aggregates, bare_windows=bare_windows)
    Walk(allowed, found).visit(tree, frozenset(), frozenset())
    if schema is not None and not aggregates:
        bound_type(text, schema, where=where)
    return found


@lru_cache(maxsize=1024)
def _query_found(text: str, tables: tuple[str, ...], where: str) -> Found:
    tree = query_tree(text, where=where)
    found = Found()
    names = frozenset(name.lower() for name in tables)
    Walk(Allowed(where, text, tables=names, is_query=True), found).visit(tree, names, frozenset())
    return found


__all__ = [
    "checked_expression",
    "checked_query",
    "expression_columns",
    "expression_type",
    "is_volatile",
    "lineage",
    "output_columns",
    "used_tables",
    "windowed_expression",
]
