"""What a preview tells: plain, typed, the same on screen, in REST and on the command line."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from etlml.documents import RuleResult, StepType


class Part(BaseModel):
    """Base of a preview's parts."""

    model_config = ConfigDict(frozen=True)


class ColumnProfile(Part):
    """One column of the result.

    Attributes:
        distinct: How many values it has; about so many unless ``distinct_is_exact``.
        min: Its least value; None where its values have no order.
        bars: Rows in equal ranges from least to greatest, for numbers and times.
        top: The commonest values with their share of the rows, for texts and truth values.
    """

    name: str
    type: str
    nulls: int
    distinct: int
    distinct_is_exact: bool = True
    min: Any = None
    max: Any = None
    bars: tuple[int, ...] = ()
    top: tuple[tuple[str, float], ...] = ()


class Retyped(Part):
    """A column whose type an op changed."""

    column: str
    before: str
    after: str


class CellChange(Part):
    """Values of one column that an op changed in place.

    Attributes:
        changed: How many are another value than before; where the type changed, how many do not mean the same any more.
        emptied: How many of these became empty (NULL).
        filled: How many of these were empty.
    """

    column: str
    changed: int
    emptied: int = 0
    filled: int = 0


class OpChange(Part):
    """What one op of a transform did to the table.

    Attributes:
        at: Its place in the list, from 0.
        renamed: Old and new names.
        compared: In how many rows values were compared; the first ones if it is less than there are.
        cells: What became of the columns that it sets and that were there before.
    """

    at: int
    op: str
    rows_before: int
    rows_after: int
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    retyped: tuple[Retyped, ...] = ()
    compared: int = 0
    cells: tuple[CellChange, ...] = ()


class ChangedRow(Part):
    """A row that an op changed or left out.

    Attributes:
        row: Its number in the table before the op, from 1.
        gone: Whether the op left it out; ``values`` are those that it had then.
        before: What stood in the columns whose values are others now.
    """

    row: int
    gone: bool
    values: dict[str, Any]
    before: dict[str, Any] = {}


class LoadTarget(Part):
    """Where a load would write.

    Attributes:
        place: The file, or file and table.
        exists: Whether there is something already; None where it is not looked up.
        effect: What the load would do there, in a sentence.
    """

    kind: str
    place: str
    mode: str
    exists: bool | None
    effect: str


class Learning(Part):
    """What a training would learn from."""

    algorithm: str
    target: str | None
    features: tuple[str, ...]
    usable_rows: int = Field(description="Rows whose target has a value.")


class Preview(Part):
    """What a step would give, computed without writing anything.

    Attributes:
        rows: The first rows, JSON-safe.
        row_count: All rows of the result; of a sample if ``sampled``.
        sampled: Whether only a part of the source's rows was read.
        basis: What it was computed on, in a sentence.
        sql: The SQL that the step comes to; empty where it has none.
        ops: A transform's ops that are on, one after the other.
        changed_rows: The first rows that the op asked about changed or left out.
        rules: What each rule of a validate step finds.
        rules_break: Whether these rules would fail the step.
        notes: What else a reader should know.
    """

    step: str
    type: StepType
    columns: tuple[dict[str, str], ...]
    rows: tuple[dict[str, Any], ...]
    row_count: int
    sampled: bool
    basis: str
    profile: tuple[ColumnProfile, ...] = ()
    sql: str = ""
    ops: tuple[OpChange, ...] = ()
    changed_rows: tuple[ChangedRow, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    rules_break: bool = False
    target: LoadTarget | None = None
    learning: Learning | None = None
    notes: tuple[str, ...] = ()
    duration_s: float = 0.0
