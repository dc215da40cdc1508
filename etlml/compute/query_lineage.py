"""Where the columns of a query come from, followed by sqlglot through joins, subqueries and CTEs."""

from collections.abc import Mapping, Sequence

from etlml.compute.names import quoted
from etlml.compute.schema import Schema

Origin = tuple[str, str]
"""A table (or input step) and one of its columns."""


def query_lineage(
    text: str, tables: Mapping[str, Schema], output: Sequence[str], *, used: Sequence[str]
) -> dict[str, list[Origin]]:
    """From which (table, column) each output column of a checked query takes its values.

    Where sqlglot cannot follow, the answer errs on the safe side: every column of every table that the query reads.

    Args:
        output: The columns that the query gives, as DuckDB names them.
        used: The tables that it reads.
    """
    lowered = {name.lower(): name for name in tables}
    everything = sorted(
        {(lowered[name.lower()], column) for name in used for column in tables[lowered[name.lower()]].names}
    )
    try:
        found = _followed(text, tables, output)
    except Exception:  # noqa: BLE001  sqlglot raises many kinds for SQL that it does not know; the answer is then the safe one
        return {column: list(everything) for column in output}
    return {column: sorted(found[column]) if found.get(column) is not None else list(everything) for column in output}


def _followed(text: str, tables: Mapping[str, Schema], output: Sequence[str]) -> dict[str, set[Origin]]:
    from sqlglot import exp, parse_one  # a third of a second to import, and only screens ask for lineage
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, object] = {
        name: {column.name: "VARCHAR" for column in columns} for name, columns in tables.items()
    }
    parsed = parse_one(text, dialect="duckdb")
    if parsed.find(exp.Columns):
        raise LookupError("COLUMNS(...) picks columns by what they are called")
    query = qualify(parsed, schema=schema, dialect="duckdb", validate_qualify_columns=False)
    scope = build_scope(query)
    selected = [select.alias_or_name for select in getattr(query, "selects", [])]
    if scope is None or len(selected) != len(output):
        raise LookupError("the query's columns cannot be told apart")
    spelled = {name.lower(): {column.lower(): column for column in columns.names} for name, columns in tables.items()}
    names = {name.lower(): name for name in tables}
    found: dict[str, set[Origin]] = {}
    for name, column in zip(selected, output, strict=True):
        root = lineage(quoted(name), query, schema=schema, dialect="duckdb", scope=scope)
        origins: set[Origin] = set()
        for node in root.walk():
            if node.downstream or not isinstance(node.source, exp.Table):
                continue
            table = node.source.name.lower()
            leaf = exp.to_column(node.name).name.lower() if "." in node.name else node.name.lower()
            if leaf == "*":
                raise LookupError("a star could not be expanded")
            origins.add((names[table], spelled[table].get(leaf, leaf)))
        found[column] = origins
    return found
