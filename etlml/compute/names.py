"""Names and values as SQL text."""

import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def quoted(name: str) -> str:
    """An identifier, quoted so that any name is safe."""
    return '"' + name.replace('"', '""') + '"'


def quoted_list(names: "list[str] | tuple[str, ...]") -> str:
    """Identifiers, quoted and joined by commas."""
    return ", ".join(quoted(name) for name in names)


def literal(value: Any) -> str:
    """A value as a DuckDB literal.

    Raises:
        TypeError: The value is of no type that SQL can write.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return f"'{value}'::DOUBLE"
        return f"{value!r}::DOUBLE" if "e" in repr(value) else repr(value)
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return f"'{value.isoformat(sep=' ')}'::{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'}"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, time):
        return f"TIME '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} cannot be written as an SQL value")
