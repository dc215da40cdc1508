"""The rule that no value occurs twice, counted exactly and as cheaply as the column allows."""

from typing import Any, Literal

from etlml.compute.names import quoted
from etlml.compute.schema import Column
from etlml.validation.kinds import is_integer
from etlml.validation.rule import ColumnRule, Facts, Measured, Verdict
from etlml.validation.values import MOST_VALUES, examples, listed

_WIDEST = 2**29  # bits in a bit set: 64 MiB a thread
_SPARSEST = 64  # bits a row: about the size of a hash table's entry, which the bit set replaces


class Unique(ColumnRule):
    """No value occurs twice. Every row of a value that does is counted as failing; missing values are not compared.

    Whole numbers whose range is not much wider than their number are counted in a bit set, within the scan that all rules
    share; other values are grouped in a query of their own, which DuckDB spills to disk where memory is short.
    """

    rule: Literal["unique"] = "unique"

    def wants_range(self, column: Column) -> bool:
        return is_integer(column)

    def fails(self, measured: Measured) -> str:
        return f'{quoted(self.column)} IN (SELECT "~value" FROM {self._groups(measured)})'

    def aggregates(self, measured: Measured) -> dict[str, str]:
        rows = self.checked_rows(measured.schema)
        found = {"checked": f"count(*) FILTER ({rows})"}
        known = measured.ranges.get(self.column.lower())
        if known is not None and _fits_bit_set(known, measured.rows or 0):
            lowest, highest = known
            found["distinct"] = f"bit_count(bitstring_agg({quoted(self.column)}, {lowest}, {highest}) FILTER ({rows}))"
        return found

    def second_look(self, measured: Measured, facts: Facts) -> str | None:
        if facts["checked"] == (facts.get("distinct") or 0):
            return None
        # Names that no column is likely to have: DuckDB lets aliases stand for columns in many places.
        return (
            'SELECT count(*) AS duplicated, coalesce(sum("~rows"), 0) AS failed, '
            f"min({{'order': -\"~rows\", 'value': \"~value\", 'rows': \"~rows\"}}, {MOST_VALUES}) AS commonest "
            f"FROM {self._groups(measured)}"
        )

    def verdict(self, facts: Facts) -> Verdict:
        return super().verdict({"failed": 0, "duplicated": 0, **facts})

    def complaint(self, failed: int, facts: Facts) -> str:
        return f"are not unique{examples(facts)}"

    def observed(self, facts: Facts) -> Any:
        duplicated = int(facts["duplicated"])
        distinct = int(facts["checked"]) - int(facts["failed"]) + duplicated
        return {"distinct": distinct, "duplicated": duplicated, "failing": listed(facts)}

    def _groups(self, measured: Measured) -> str:
        rows = self.checked_rows(measured.schema)
        return (
            f'(SELECT {quoted(self.column)} AS "~value", count(*) AS "~rows" FROM {measured.source} '
            f"WHERE {rows} GROUP BY 1 HAVING count(*) > 1)"
        )


def _fits_bit_set(known: tuple[Any, Any], rows: int) -> bool:
    lowest, highest = known
    return isinstance(lowest, int) and isinstance(highest, int) and highest - lowest < min(_WIDEST, rows * _SPARSEST)
