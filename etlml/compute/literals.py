"""Small questions about nodes of DuckDB's parser: is this a short literal, which parameters has this lambda."""

import re
from typing import Final

from etlml.compute.parse import Node

LARGEST_NUMBER, LONGEST_LITERAL = 10_000, 1_000
_LONG_NUMBER: Final = re.compile(r"[0-9]{5,}")  # as a width in printf() and format()


def is_small(node: Node) -> bool:
    """Whether this is a short literal, or a list of them. DuckDB computes what is fixed while it only binds: unbounded."""
    if node["class"] == "CONSTANT":
        value = node["value"].get("value")
        if isinstance(value, int | float):
            return abs(value) <= LARGEST_NUMBER
        return not isinstance(value, str) or (len(value) <= LONGEST_LITERAL and not _LONG_NUMBER.search(value))
    if node["class"] == "FUNCTION" and str(node["function_name"]).lower() in ("list_value", "struct_pack", "row", "-"):
        return all(is_small(child) for child in node["children"])
    return False


def lambda_parameters(lhs: Node) -> frozenset[str] | None:
    """The parameters of a lambda: one name, or ``(x, i)``, which the parser reads as a row; None if it is no lambda."""
    if lhs.get("class") == "COLUMN_REF" and len(lhs["column_names"]) == 1:
        return frozenset({str(lhs["column_names"][0]).lower()})
    if lhs.get("class") == "FUNCTION" and lhs.get("function_name") == "row":
        names = [lambda_parameters(child) for child in lhs["children"]]
        if all(name is not None for name in names):
            return frozenset(name for found in names for name in found or ())
    return None
