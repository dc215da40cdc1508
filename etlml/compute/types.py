"""DuckDB's types by the names that people use, and which values fit into them."""

import re
from functools import lru_cache
from typing import Any

from etlml.compute.names import literal
from etlml.compute.parse import Unbound, expression_tree, in_parser
from etlml.errors import ConfigInvalid, EtlmlError, did_you_mean

ALIASES = {
    "int": "BIGINT",
    "long": "BIGINT",
    "float": "DOUBLE",
    "number": "DOUBLE",
    "string": "VARCHAR",
    "str": "VARCHAR",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "bytes": "BLOB",
}
"""Friendly names; ``int`` is the 64-bit one, as in Python and pandas. Other names mean what DuckDB means by them."""

_PLAIN = """
    BIGINT BIT BLOB BOOLEAN DATE DECIMAL DOUBLE FLOAT HUGEINT INTEGER INTERVAL JSON REAL SMALLINT TIME TIMESTAMP
    TIMESTAMPTZ TIMETZ TINYINT UBIGINT UHUGEINT UINTEGER USMALLINT UTINYINT UUID VARCHAR
"""
KNOWN = frozenset(_PLAIN.split())

_FAMILIES = (
    ("number", re.compile(r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL|BIGNUM)\b.*(?<!\])")),
    ("text", re.compile(r"(VARCHAR|ENUM\(.*\)|UUID)")),
    ("moment", re.compile(r"(DATE|TIMESTAMP.*)(?<!\])")),
)
TOO_WIDE_FOR_PARQUET = frozenset({"HUGEINT", "UHUGEINT"})


@lru_cache(maxsize=512)
def canonical_type(name: str) -> str:
    """DuckDB's own name of a type that is given by any of its names, such as ``int``, ``decimal(10, 2)`` or ``date[]``.

    Raises:
        ConfigInvalid: There is no such type.
    """
    if not name.strip():
        raise ConfigInvalid("No type is given. Choose one, such as int, date or string.")
    wanted = ALIASES.get(name.strip().lower(), name.strip())
    text = f"CAST(NULL AS {wanted}\n)"
    try:
        tree = expression_tree(text, where="type")
        if tree["class"] != "CAST" or tree["child"]["class"] != "CONSTANT":
            raise ConfigInvalid("not one type")
        return str(in_parser(f"DESCRIBE SELECT {text}")[0][1])
    except (EtlmlError, Unbound):
        raise ConfigInvalid(f"There is no type {name!r}. {did_you_mean(name, KNOWN | ALIASES.keys())}") from None


def family(type_: str) -> str:
    """Types of one family compare with each other as a person expects: number, text, moment, or the type itself."""
    return next((name for name, pattern in _FAMILIES if pattern.fullmatch(type_)), type_)


def is_list(type_: str) -> bool:
    return type_.endswith("]")


def is_struct(type_: str) -> bool:
    return type_.startswith("STRUCT(") and type_.endswith(")")


def fits(value: Any, type_: str) -> bool:
    """Whether a value can be a value of this type without losing anything."""
    text = literal(value)
    same = f" AND TRY_CAST({text} AS {type_}) = {text}" if isinstance(value, int | float) else ""
    return _is_true(f"coalesce(TRY_CAST({text} AS {type_}) IS NOT NULL{same}, FALSE)")


@lru_cache(maxsize=4096)  # a form asks the same of each of its ops whenever it is drawn
def _is_true(expression: str) -> bool:
    try:
        return bool(in_parser(f"SELECT {expression}")[0][0])
    except Unbound:
        return False
