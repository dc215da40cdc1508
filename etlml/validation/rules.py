"""The rules. ``AnyRule`` is the whole registry: one class, one name.

Missing values: a rule about values (unique, between, in_set, matches, sql) passes over null; ``not_null`` is for those.
NaN is a value: it is not missing, lies in no range, and equals itself.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from etlml.compute.names import literal, quoted
from etlml.compute.schema import Column, Schema
from etlml.errors import ConfigInvalid
from etlml.validation.conditions import checked_condition
from etlml.validation.kinds import AnyValue, Bound, as_sql, comparable, is_floating, kind_of, sentence
from etlml.validation.patterns import pattern_problem
from etlml.validation.rule import ColumnRule, Facts, Measured, RowRule, TableRule, Verdict
from etlml.validation.uniqueness import Unique
from etlml.validation.values import commonest, examples, listed

_FEW = 3  # a set of so few values is compared one by one; a longer one is joined, whose cost does not grow with it
_SHOWN = 5


class NotNull(ColumnRule):
    """Every value is there. NaN and empty text are values; use between or matches against those."""

    rule: Literal["not_null"] = "not_null"

    def counts(self, schema: Schema) -> str | None:
        return None

    def fails(self, measured: Measured) -> str:
        return f"{quoted(self.column)} IS NULL"

    def complaint(self, failed: int, facts: Facts) -> str:
        return "is missing (null)" if failed == 1 else "are missing (null)"

    def observed(self, facts: Facts) -> Any:
        return {"nulls": int(facts["failed"])}


class Between(ColumnRule):
    """Every value lies from ``min`` to ``max``; a bound that is left out does not bound.

    Bounds of dates and times are ISO text; a date as bound of a time means its midnight, UTC. Text is compared by its characters.
    """

    rule: Literal["between"] = "between"
    min: Bound | None = None
    max: Bound | None = None
    strict_min: bool = Field(False, description="The value must be greater than min, not only equal.")
    strict_max: bool = Field(False, description="The value must be less than max, not only equal.")

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("between needs min, max or both")
        both_numbers = isinstance(self.min, int | float) and isinstance(self.max, int | float)
        if both_numbers and self.min > self.max:  # type: ignore[operator]
            raise ValueError(f"min {self.min} is greater than max {self.max}; swap them")
        return self

    def fits(self, column: Column, *, label: str) -> None:
        for field, bound in (("min", self.min), ("max", self.max)):
            if bound is not None:
                as_sql(bound, column, field=field, label=label)

    def fails(self, measured: Measured) -> str:
        column = measured.schema.column(self.column)
        value = comparable(column)
        broken = []
        if self.min is not None:
            broken.append(
                f"{value} {'<=' if self.strict_min else '<'} {as_sql(self.min, column, field='min', label=self.label)}"
            )
        if self.max is not None:
            broken.append(
                f"{value} {'>=' if self.strict_max else '>'} {as_sql(self.max, column, field='max', label=self.label)}"
            )
        elif is_floating(column):
            broken.append(
                f"isnan({value})"
            )  # DuckDB sorts NaN above every number, so only an upper bound would catch it
        return " OR ".join(broken)

    def wants_range(self, column: Column) -> bool:
        return self.where is None

    def aggregates(self, measured: Measured) -> dict[str, str]:
        found = super().aggregates(measured)
        if self.column.lower() in measured.ranges:
            return found
        value, rows = comparable(measured.schema.column(self.column)), self.checked_rows(measured.schema)
        return found | {"lowest": f"min({value}) FILTER ({rows})", "highest": f"max({value}) FILTER ({rows})"}

    def complaint(self, failed: int, facts: Facts) -> str:
        return f"{'is' if failed == 1 else 'are'} {self._outside()}"

    def observed(self, facts: Facts) -> Any:
        return {"min": facts.get("lowest"), "max": facts.get("highest")}

    def _outside(self) -> str:
        if self.max is None:
            return f"{'not above' if self.strict_min else 'below'} {self.min}"
        if self.min is None:
            return f"{'not below' if self.strict_max else 'above'} {self.max}"
        low = f"{self.min}{' (exclusive)' if self.strict_min else ''}"
        return f"outside {low} to {self.max}{' (exclusive)' if self.strict_max else ''}"


class ValueRule(ColumnRule):
    """A rule whose report names the failing values that occur most."""

    def second_look(self, measured: Measured, facts: Facts) -> str | None:
        return commonest(quoted(self.column), self.failing_rows(measured), measured.source) if facts["failed"] else None

    def observed(self, facts: Facts) -> Any:
        return {"failing": listed(facts)}


class InSet(ValueRule):
    """Every value is one of ``values``, compared exactly, text with regard to case."""

    rule: Literal["in_set"] = "in_set"
    values: list[AnyValue] = Field(min_length=1, max_length=100_000)

    @field_validator("values", mode="before")
    @classmethod
    def _has_no_null(cls, values: Any) -> Any:
        if isinstance(values, list) and None in values:
            raise ValueError("leave null out: missing values are not checked (not_null is for those)")
        return values

    def fits(self, column: Column, *, label: str) -> None:
        for value in self.values:
            as_sql(value, column, field="values", label=label)

    def fails(self, measured: Measured) -> str:
        column = measured.schema.column(self.column)
        values = list(dict.fromkeys(as_sql(value, column, field="values", label=self.label) for value in self.values))
        listed_values = ", ".join(values)
        one_of = listed_values if len(values) <= _FEW else f"SELECT unnest([{listed_values}])"
        return f"{comparable(column)} NOT IN ({one_of})"

    def complaint(self, failed: int, facts: Facts) -> str:
        few = ", ".join(repr(value) for value in self.values[:_SHOWN])
        more = f" and {len(self.values) - _SHOWN} more" if len(self.values) > _SHOWN else ""
        return f"{'is' if failed == 1 else 'are'} not in the set {few}{more}{examples(facts)}"


class Matches(ValueRule):
    """Every value matches ``regex`` from its first character to its last (RE2 syntax; ``.*x.*`` finds x anywhere)."""

    rule: Literal["matches"] = "matches"
    regex: str = Field(min_length=1, max_length=2000)

    def check(self, schema: Schema | None, *, label: str) -> None:
        if problem := pattern_problem(self.regex):
            raise ConfigInvalid(
                f"{sentence(label)}: regex {self.regex!r} is not a regular expression: {problem}", field="regex"
            )
        super().check(schema, label=label)

    def fits(self, column: Column, *, label: str) -> None:
        if kind_of(column) not in ("text", "none"):
            raise ConfigInvalid(
                f"{sentence(label)}: matches needs text, but column {column.name!r} is {column.type}. "
                "Cast it to VARCHAR in a step before, or use between.",
                field="column",
                column=column.name,
            )

    def fails(self, measured: Measured) -> str:
        return f"NOT regexp_full_match({comparable(measured.schema.column(self.column))}, {literal(self.regex)})"

    def complaint(self, failed: int, facts: Facts) -> str:
        return f"{'does' if failed == 1 else 'do'} not match {self.regex}{examples(facts)}"


class SqlRule(RowRule):
    """Every row meets ``where``, an SQL condition over its columns. A row for which it is null (unknown) is not checked."""

    rule: Literal["sql"] = "sql"
    where: str = Field(min_length=1, description="Expression that must be true for every row.")

    @property
    def condition(self) -> str | None:
        return None  # here ``where`` is the claim itself

    def check(self, schema: Schema | None, *, label: str) -> None:
        checked_condition(self.where, schema, label=label, field="where")

    def counts(self, schema: Schema) -> str | None:
        return f"{checked_condition(self.where, schema, label=self.name)} IS NOT NULL"

    def fails(self, measured: Measured) -> str:
        return f"NOT {checked_condition(self.where, measured.schema, label=self.name)}"

    def complaint(self, failed: int, facts: Facts) -> str:
        return f"{'does' if failed == 1 else 'do'} not meet: {self.where}"


class RowCountBetween(TableRule):
    """The relation has from ``min`` to ``max`` rows (for which ``where`` is true, if it is given)."""

    rule: Literal["row_count_between"] = "row_count_between"
    min: int | None = Field(None, ge=0)
    max: int | None = Field(None, ge=0)
    mostly: Literal[1] = Field(1, description="Always 1: a table has the right number of rows or it has not.")
    where: str | None = Field(None, description="Only rows for which this expression is true are counted.")

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("row_count_between needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is greater than max {self.max}; swap them")
        return self

    def check(self, schema: Schema | None, *, label: str) -> None:
        if self.where is not None:
            checked_condition(self.where, schema, label=label, field="where")

    def aggregates(self, measured: Measured) -> dict[str, str]:
        if self.where is None:
            return {} if measured.rows is not None else {"rows": "count(*)"}
        return {"rows": f"count(*) FILTER ({checked_condition(self.where, measured.schema, label=self.label)})"}

    def verdict(self, facts: Facts) -> Verdict:
        rows = int(facts["rows"])
        success = (self.min is None or rows >= self.min) and (self.max is None or rows <= self.max)
        what = f"{rows:,} row{'' if rows == 1 else 's'}{f' where {self.where}' if self.where else ''}"
        message = f"There are {what}, {'as' if success else 'not'} {self._expected()}{' expected' if success else ''}."
        return Verdict(success, 1, int(not success), message, {"rows": rows})

    def _expected(self) -> str:
        if self.max is None:
            return f"at least {self.min:,}"
        return f"at most {self.max:,}" if self.min is None else f"{self.min:,} to {self.max:,}"


AnyRule = Annotated[
    NotNull | Unique | Between | InSet | Matches | RowCountBetween | SqlRule,
    Field(discriminator="rule"),
]
"""Any rule, told apart by ``rule``."""
