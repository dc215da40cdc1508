"""What every rule is: a typed configuration, the SQL that measures it, and the verdict from what was measured.

Two kinds. A row rule holds or fails row by row: it can tolerate a share of failures (``mostly``), show failing rows, and have
them set aside. A table rule is about the relation as a whole. A new kind of rule is a class here and a place in ``AnyRule``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from etlml.compute.names import quoted
from etlml.compute.schema import Column, Schema
from etlml.documents import Severity
from etlml.validation.conditions import checked_condition

Facts = Mapping[str, Any]
"""What was measured for one rule, by the names of its aggregates; and what is known beforehand: lowest, highest, rows."""


@dataclass(frozen=True)
class Measured:
    """What is known about the relation before the one scan over it.

    Attributes:
        source: The relation's name, quoted.
        schema: Its columns.
        rows: Its number of rows, where known.
        ranges: Smallest and largest value of columns, where the file's own statistics told them (by lower-case name).
    """

    source: str
    schema: Schema
    rows: int | None = None
    ranges: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a rule found. ``failed`` of ``checked`` rows break it (a table rule checks one thing: the table)."""

    success: bool
    checked: int
    failed: int
    message: str
    observed: Any = None


class Rule(BaseModel, ABC):
    """A claim about a relation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_row: ClassVar[bool]
    """Whether the rule holds or fails for each row."""

    severity: Severity = Field(
        "error", description="error and critical fail the validation; info and warning only warn."
    )
    enabled: bool = Field(True, description="Whether the rule is checked; a rule that is off is passed over.")

    @property
    def name(self) -> str:
        """The rule's name, as in ``rule: between``."""
        return str(type(self).model_fields["rule"].default)

    @property
    def target(self) -> str | None:
        """The column that the rule is about, if it is about one."""
        return getattr(self, "column", None)

    @property
    def is_grave(self) -> bool:
        """Whether breaking it fails the validation."""
        return self.severity in ("error", "critical")

    @property
    def label(self) -> str:
        """The rule in a few letters, such as ``between(distance)``."""
        return f"{self.name}({self.target})" if self.target else self.name

    def arguments(self) -> dict[str, Any]:
        """What a person set, JSON-safe, without the rule's name, column, severity and whether it is on."""
        return self.model_dump(mode="json", exclude={"rule", "column", "severity", "enabled"}, exclude_defaults=True)

    @abstractmethod
    def check(self, schema: Schema | None, *, label: str) -> None:
        """Find what is wrong with the rule without the data; ``label`` says in messages which rule it is.

        Raises:
            ColumnMissing: Its column is not there.
            ConfigInvalid: A value does not fit the column's type, or a pattern is not valid.
            ExpressionInvalid: A condition cannot be parsed or is not true or false.
        """

    def wants_range(self, column: Column) -> bool:
        """Whether it helps to know the smallest and largest value of its column beforehand, if that is free."""
        return False

    @abstractmethod
    def aggregates(self, measured: Measured) -> dict[str, str]:
        """Aggregate expressions over the relation, by name; those of all rules are computed in one scan."""

    @abstractmethod
    def verdict(self, facts: Facts) -> Verdict:
        """Whether the rule holds, given what its aggregates and ``second_look`` found."""

    def second_look(self, measured: Measured, facts: Facts) -> str | None:
        """A query of one row for facts that the shared scan could not tell; its columns are added to the facts."""
        return None


class RowRule(Rule):
    """A claim about each row (for which ``where`` is true, if it is given)."""

    by_row = True

    mostly: float = Field(1.0, ge=0, le=1, description="Share of the checked rows that must hold, 0 to 1.")

    @abstractmethod
    def counts(self, schema: Schema) -> str | None:
        """The condition that picks the rows that are checked; None for all of them."""

    @abstractmethod
    def fails(self, measured: Measured) -> str:
        """The condition that is true for a checked row that breaks the rule; null or false for the others."""

    @abstractmethod
    def complaint(self, failed: int, facts: Facts) -> str:
        """What is wrong with ``failed`` rows, to follow ``12 of 100 values of 'x'``; its verb agrees with the number."""

    @property
    def condition(self) -> str | None:
        """The rows that are looked at, as an expression; None for all."""
        return getattr(self, "where", None)

    def checked_rows(self, schema: Schema) -> str | None:
        """``counts`` within ``where``; None for all rows."""
        return _all_of(self._condition_sql(schema), self.counts(schema))

    def failing_rows(self, measured: Measured) -> str:
        """``fails`` within ``where``."""
        return _all_of(self._condition_sql(measured.schema), self.fails(measured)) or "TRUE"

    def aggregates(self, measured: Measured) -> dict[str, str]:
        rows = self.checked_rows(measured.schema)
        return {
            "checked": "count(*)" if rows is None else f"count(*) FILTER ({rows})",
            "failed": f"count(*) FILTER ({self.failing_rows(measured)})",
        }

    def verdict(self, facts: Facts) -> Verdict:
        checked, failed = int(facts["checked"]), int(facts["failed"])
        # Exact: 0.07 * 100 is 7.000000000000001 in floating point, and 7 of 100 rows would not be enough.
        success = checked - failed >= Decimal(str(self.mostly)) * checked
        return Verdict(
            success, checked, failed, self._message(checked, failed, facts, success=success), self.observed(facts)
        )

    def observed(self, facts: Facts) -> Any:
        """What the checked values are like, JSON-safe after ``samples.json_safe``."""
        return None

    def _condition_sql(self, schema: Schema) -> str | None:
        return None if self.condition is None else checked_condition(self.condition, schema, label=self.label)

    def _message(self, checked: int, failed: int, facts: Facts, *, success: bool) -> str:
        of_what = f"values of {self.target!r}" if self.target else "rows"
        within = f" (where {self.condition})" if self.condition else ""
        if checked == 0:
            return f"No {of_what} to check{within}."
        if failed == 0:
            return f"All {checked:,} {of_what}{within} pass."
        found = f"{failed:,} of {checked:,} {of_what}{within} {self.complaint(failed, facts)}"
        if self.mostly == 1:
            return f"{found}."
        share, allowed = _percent(failed / checked), _percent(float(1 - Decimal(str(self.mostly))))
        return f"{found} ({share}; {'within the' if success else 'more than the'} {allowed} allowed)."


class ColumnRule(RowRule):
    """A claim about the values of one column. Missing values (null) are not checked; ``not_null`` is for those."""

    column: str = Field(min_length=1)
    where: str | None = Field(None, description="Only rows for which this expression is true are checked.")

    def check(self, schema: Schema | None, *, label: str) -> None:
        if schema is not None:
            self.fits(schema.column(self.column, where=f"the input of {label}"), label=label)
        if self.where is not None:
            checked_condition(self.where, schema, label=label, field="where")

    def fits(self, column: Column, *, label: str) -> None:
        """Raise ConfigInvalid if the rule makes no sense for the column's type."""

    def counts(self, schema: Schema) -> str | None:
        return f"{quoted(self.column)} IS NOT NULL"


class TableRule(Rule):
    """A claim about the relation as a whole."""

    by_row = False


def _all_of(*conditions: str | None) -> str | None:
    given = [f"({condition})" for condition in conditions if condition is not None]
    return " AND ".join(given) or None


def _percent(share: float) -> str:
    percent = share * 100
    return f"{percent:.2f} %" if percent >= 0.1 or percent == 0 else f"{percent:.2g} %"
