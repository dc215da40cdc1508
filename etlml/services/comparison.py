"""What a comparison of two runs says: plain, typed results for pages, REST and the command line."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from etlml.documents import RunStatus, StepStatus, StepType, Time, TriggerKind

Change = Literal["added", "removed", "changed"]


class RunFacts(BaseModel):
    """One of the two runs, without its steps."""

    id: str
    pipeline_id: str
    pipeline_name: str
    pipeline_version: int
    status: RunStatus
    trigger: TriggerKind
    triggered_by: str
    created_at: Time
    started_at: Time | None
    duration_s: float | None
    warnings: int
    error: str | None = Field(description="The first line of what went wrong.")


class Difference(BaseModel):
    """One field or value that differs."""

    path: str = Field(description="Where, e.g. config.ops[1].where.")
    kind: Change
    before: Any = None
    after: Any = None
    items: list[str] = Field(default_factory=list, description="What the listed items on the path are, e.g. filter.")


class StepDifference(BaseModel):
    """What changed in the definition of one step."""

    step: str
    kind: Literal["added", "removed", "changed", "renamed", "moved"]
    was: str | None = Field(None, description="The id that a renamed step had.")
    fields: list[Difference] = Field(default_factory=list)


class StepFigures(BaseModel):
    """What a step did in one run."""

    status: StepStatus
    rows_in: int | None
    rows_out: int | None
    bytes: int | None
    duration_s: float | None = Field(description="Seconds; null where it was computed together with another step.")
    error: str | None = None


class StepPair(BaseModel):
    """One step in both runs; the side of a run without it is null."""

    step: str
    name: str
    type: StepType
    before: StepFigures | None
    after: StepFigures | None
    comparable: bool = Field(description="Whether both runs kept its rows, so that they can be compared.")
    data_changed: bool | None = Field(
        None, description="Of an extract step: whether its source held other data; null where that is not known."
    )


class FigurePair(BaseModel):
    """A figure of both runs: a metric of a training, the score of a validation, the failing rows of a rule."""

    step: str
    name: str
    before: float | None
    after: float | None


class RunComparison(BaseModel):
    """Two runs side by side; ``before`` is the one that was asked for first."""

    before: RunFacts
    after: RunFacts
    params: list[Difference] = Field(description="Parameters that differ.")
    settings: list[Difference] = Field(description="What differs in the pipeline outside its steps.")
    changes: list[StepDifference] = Field(description="What differs in the definitions of the steps.")
    environment: list[Difference] = Field(description="What differs in the surroundings of trainings.")
    steps: list[StepPair]
    metrics: list[FigurePair]
    scores: list[FigurePair]
    rules: list[FigurePair] = Field(description="Failing rows of rules whose counts differ.")
    yaml: list[str] = Field(
        description="The two definitions as YAML: the lines of a unified diff; empty where they are equal."
    )
    versions_known: bool = Field(description="Whether the pipeline as it was is still stored for both runs.")


class ColumnDifference(BaseModel):
    """A column that one side lacks, or that has another type there."""

    column: str
    before: str | None
    after: str | None


class RowDifference(BaseModel):
    """One row that differs; a side without it is null."""

    kind: Change
    key: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    columns: list[str] = Field(description="Of a changed row: the columns that differ.")


class StepRows(BaseModel):
    """How the rows that a step gave differ between two runs."""

    step: str
    keys: list[str]
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int
    same: int
    columns: list[ColumnDifference]
    changes: dict[str, int] = Field(description="How many rows differ in each column.")
    rows: list[RowDifference] = Field(description="The first rows that differ, in the order of their keys.")
