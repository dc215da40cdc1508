"""A small profile of a relation: one scan, and only when it is asked for."""

from typing import Any

from etlml.compute.names import quoted
from etlml.compute.relation import Relation
from etlml.compute.schema import Column
from etlml.compute.session import Session
from etlml.validation.kinds import kind_of
from etlml.validation.values import json_safe

MOST_COLUMNS = 100


def profile_of(relation: Relation, session: Session) -> dict[str, Any]:
    """For each of the first columns its type, nulls, distinct values (approximate), least and greatest (None without an order).

    Returns:
        ``{"columns": [{"name", "type", "nulls", "distinct", "min", "max"}]}``, JSON-safe.
    """
    columns = relation.schema.columns[:MOST_COLUMNS]
    (row,) = session.rows(f"SELECT {', '.join(_measures(column) for column in columns)} FROM {quoted(relation.name)}")
    return {
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "nulls": int(row[4 * place]),
                "distinct": int(row[4 * place + 1]),
                "min": json_safe(row[4 * place + 2]),
                "max": json_safe(row[4 * place + 3]),
            }
            for place, column in enumerate(columns)
        ]
    }


def _measures(column: Column) -> str:
    name = quoted(column.name)
    ends = "NULL, NULL" if kind_of(column) == "other" else f"min({name}), max({name})"
    return f"count(*) - count({name}), approx_count_distinct({name}), {ends}"
