"""The walk over a tree of DuckDB's parser that lets through what is known to be harmless, and nothing else."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from etlml.compute.literals import LARGEST_NUMBER, is_small, lambda_parameters
from etlml.compute.parse import Node, expression_location, marked, query_location
from etlml.compute.schema import Schema
from etlml.compute.sql_functions import (
    AGGREGATES,
    GROWING,
    REFUSED,
    ROW_SOURCES,
    SCALARS,
    TAKES_LAMBDA,
    VALUE_KEYWORDS,
    WINDOWS,
)
from etlml.errors import ColumnMissing, EtlmlError, ExpressionInvalid, SqlRefused, did_you_mean

_EXPRESSIONS: Final = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "OPERATOR",
        "STAR",
        "SUBQUERY",
        "WINDOW",
    }
)
_RELATIONS: Final = frozenset({"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SUBQUERY", "TABLE_FUNCTION"})
_QUERIES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
_PARTS: Final = re.compile(r"[A-Z]+_(MODIFIER|TYPE_INFO)|ORDER_[A-Z]+|ASCENDING|DESCENDING|LIMIT_PERCENT_MODIFIER")


_NAMES: Final = {"PARAMETER": "a parameter (? or $1)", "POSITIONAL_REFERENCE": "a position (#1)"}


@dataclass(frozen=True)
class Allowed:
    """What one check lets through."""

    where: str
    text: str
    columns: Schema | None = None
    tables: frozenset[str] = frozenset()
    windows: bool = True
    aggregates: bool = True
    bare_windows: bool = False
    is_query: bool = False


@dataclass
class Found:
    """What a check saw on its way."""

    columns: dict[str, None] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    tables: dict[str, None] = field(default_factory=dict)


class Walk:
    """One pass over a tree of DuckDB's parser; what is not known to be harmless is refused."""

    def __init__(self, allowed: Allowed, found: Found) -> None:
        self.allowed, self.found = allowed, found
        self._columns = self._names = 0  # columns, and columns or lambda parameters, that were met so far

    def visit(self, value: Any, tables: frozenset[str], bound: frozenset[str]) -> None:
        """Check a node and all below it.

        Args:
            tables: Lower-case names of the tables that are visible here, CTEs included.
            bound: Lower-case names of the parameters of enclosing lambdas.
        """
        if isinstance(value, list):
            for item in value:
                self.visit(item, tables, bound)
        elif isinstance(value, dict):
            if "class" in value:
                self._expression(value, tables, bound)
            elif "cte_map" in value:
                self._query(value, tables, bound)
            elif "alias" in value and "sample" in value:
                self._relation(value, tables, bound)
            elif isinstance(kind := value.get("type"), str) and not _PARTS.fullmatch(kind):
                raise self._refused(f"a clause of the kind {kind}", value)
            else:
                self._children(value, tables, bound)

    def _children(self, node: Node, tables: frozenset[str], bound: frozenset[str]) -> None:
        for item in node.values():
            if isinstance(item, list | dict):
                self.visit(item, tables, bound)

    def _query(self, node: Node, tables: frozenset[str], bound: frozenset[str]) -> None:
        if node.get("type") not in _QUERIES:
            raise self._refused(f"a query of the kind {node.get('type')}", node)
        if not self.allowed.is_query:
            raise self._refused("a subquery", node, mend="Use a join or a sql op.")
        node = dict(node)
        if node["type"] == "RECURSIVE_CTE_NODE":
            tables = tables | {self._cte_name(str(node["cte_name"]))}
        for entry in node.pop("cte_map")["map"]:
            self.visit(entry["value"], tables, bound)
            tables = tables | {self._cte_name(str(entry["key"]))}
        self._children(node, tables, bound)

    def _cte_name(self, name: str) -> str:
        """A CTE's name; one that looks like a file would, if ever resolved otherwise than here, be read as a file."""
        if not name.replace(" ", "_").replace("-", "_").isidentifier():
            raise SqlRefused(f"{self._where} names a subquery {name!r}. Use letters, digits and _ for the name.")
        return name.lower()

    def _relation(self, node: Node, tables: frozenset[str], bound: frozenset[str]) -> None:
        kind = node.get("type")
        if kind not in _RELATIONS:
            what = "DESCRIBE, SHOW or SUMMARIZE" if kind == "SHOW_REF" else f"a table of the kind {kind}"
            raise self._refused(what, node)
        if kind == "BASE_TABLE":
            self._table(node, tables)
        if kind == "TABLE_FUNCTION":
            self._function_name(node["function"], ROW_SOURCES, bound)
            self._children({**node["function"], "function_name": ""}, tables, bound)
            return
        self._children(node, tables, bound)

    def _table(self, node: Node, tables: frozenset[str]) -> None:
        name = str(node.get("table_name", ""))
        if node.get("catalog_name") or node.get("schema_name") or node.get("at_clause"):
            full = ".".join(str(part) for part in (node.get("catalog_name"), node.get("schema_name"), name) if part)
            raise self._refused(
                f"the table {full!r}", node, mend=f"Name an input without a prefix. {self._tables_mend(name)}"
            )
        if name.lower() not in tables:
            raise self._refused(f"the table {name!r}", node, mend=self._tables_mend(name))
        if name.lower() in self.allowed.tables:
            self.found.tables[name] = None

    def _tables_mend(self, name: str) -> str:
        return f"It can read only its inputs. {did_you_mean(name, self.allowed.tables)}"

    def _expression(self, node: Node, tables: frozenset[str], bound: frozenset[str]) -> None:
        kind = node["class"]
        if kind not in _EXPRESSIONS:
            what = {"PARAMETER": "a parameter (? or $1)", "POSITIONAL_REFERENCE": "a position (#1)"}.get(
                kind, f"{kind.lower()}"
            )
            raise self._refused(what, node, mend="Write the value or the column's name.")
        if kind == "CONSTANT":
            return
        if kind == "COLUMN_REF":
            self._column([str(name) for name in node["column_names"]], node, bound)
            return
        if kind in ("STAR", "SUBQUERY"):
            self._columns, self._names = self._columns + 1, self._names + 1
        if kind in ("STAR", "SUBQUERY") and not self.allowed.is_query:
            what, mend = ("*", "Name the column.") if kind == "STAR" else ("a subquery", "Use a join or a sql op.")
            raise self._refused(what, node, mend=mend)
        if kind == "WINDOW":
            if not self.allowed.windows:
                raise self._refused("a function with OVER", node, mend="Use the window op.")
            self._function_name(node, AGGREGATES | WINDOWS, bound)
        if kind == "FUNCTION":
            self._function(node, tables, bound)
            return
        if kind == "LAMBDA":
            # Outside a function that takes one, the arrow is JSON's: both sides are ordinary expressions.
            self.visit(node["lhs"], tables, bound)
            self.visit(node["expr"], tables, bound)
            return
        self._children(node, tables, bound)

    def _function(self, node: Node, tables: frozenset[str], bound: frozenset[str]) -> None:
        name = str(node["function_name"]).lower()
        known = SCALARS | (AGGREGATES if self.allowed.aggregates or self.allowed.is_query else frozenset())
        if self.allowed.is_query:
            known |= {"unnest"}
        if self.allowed.bare_windows:
            known |= WINDOWS
        if not (node.get("is_operator") and not name.replace("_", "").isalnum()):
            self._function_name(node, known, bound)
        columns_before, names_before = self._columns, self._names
        children = [child for child in node.get("children", []) if isinstance(child, dict)]
        for child in children:
            if (
                child["class"] == "LAMBDA"
                and name in TAKES_LAMBDA
                and (names := lambda_parameters(child["lhs"])) is not None
            ):
                self.visit(child["expr"], tables, bound | names)
            else:
                self.visit(child, tables, bound)
        self._children({key: item for key, item in node.items() if key != "children"}, tables, bound)
        of_fixed_values = (name in GROWING and self._names == names_before) or (
            name in TAKES_LAMBDA and self._columns == columns_before
        )
        if of_fixed_values and not all(is_small(child) for child in children):
            mend = f"Write its result out, keep to numbers up to {LARGEST_NUMBER:,}, or use a column."
            raise self._refused(f"{name}() on these fixed values", node, mend=mend)

    def _function_name(self, node: Node, known: frozenset[str], bound: frozenset[str]) -> None:
        """Refuse a function that is not known. ``x.upper()`` arrives as upper in a schema x, which is a column."""
        name = str(node["function_name"]).lower()
        self.found.functions.add(name)
        shown = name.removesuffix("_star")
        owner = [str(part) for part in (node.get("catalog"), node.get("schema")) if part]
        if owner and owner != ["main"]:
            self._column(owner, node, bound)
        if name in known:
            return
        if name in AGGREGATES:
            raise self._refused(f"the aggregate function {shown}()", node, mend="Use the aggregate or window op.")
        if name in WINDOWS:
            raise self._refused(
                f"the window function {shown}() without OVER", node, mend="Use the window op, or give it OVER (...)."
            )
        if name == "unnest":
            raise self._refused("the function unnest()", node, mend="Use the unnest op.")
        if name in REFUSED or name in SCALARS:
            raise self._refused(f"the function {shown}()", node)
        near = did_you_mean(name, known) if len(known) > len(ROW_SOURCES) else f"Known: {', '.join(sorted(known))}."
        hint = near if near.startswith("Did") or len(known) <= len(ROW_SOURCES) else "See DuckDB's list of functions."
        raise self._at(ExpressionInvalid, f"{self._where}: there is no function {name!r}. {hint}", node)

    def _column(self, path: list[str], node: Node, bound: frozenset[str]) -> None:
        first = path[0]
        self._names += 1
        if first.lower() in bound:
            return
        self._columns += 1
        schema = self.allowed.columns
        if schema is None:
            self.found.columns[first] = None
        elif first in schema:
            self.found.columns[schema.column(first).name] = None
        elif len(path) == 1 and first.lower() in VALUE_KEYWORDS:
            self.found.functions.add(first.lower())
            self._columns, self._names = self._columns - 1, self._names - 1
        else:
            missing = ColumnMissing(first, schema.names, where=f"{self.allowed.where}: the input")
            raise self._with_place(missing, missing.message, node)

    @property
    def _where(self) -> str:
        return self.allowed.where[:1].upper() + self.allowed.where[1:]

    def _refused(self, what: str, node: Node, *, mend: str = "It can use only the values of its inputs.") -> EtlmlError:
        return self._at(SqlRefused, f"{self._where} may not use {what}. {mend}", node)

    def _at(self, error: type[EtlmlError], message: str, node: Node) -> EtlmlError:
        return self._with_place(error(message), message, node)

    def _with_place(self, error: EtlmlError, message: str, node: Node) -> EtlmlError:
        at = query_location(node) if self.allowed.is_query else expression_location(node)
        if at is not None:
            error.message, details = marked(message, self.allowed.text, at)
            error.args = (error.message,)
            error.details |= details
        return error
