"""The lineage of a pipeline as a document: steps, their columns, and what each is made of."""

from typing import Literal

from pydantic import BaseModel, Field

How = Literal["source", "same", "renamed", "expression", "aggregate", "window", "joined", "changed", "query", "unknown"]
"""What became of a column within one step: nothing, a new name, the value of an expression, ..."""
Purpose = Literal["filter", "join key", "group key", "order", "rule", "sink", "feature", "target", "rows"]
"""What a column is used for beside being part of other columns."""


class Origin(BaseModel):
    """A column of a step before."""

    step: str
    column: str


class ColumnNode(BaseModel):
    """A column of a step's result."""

    name: str
    type: str = ""
    how: How = "same"
    texts: list[str] = Field(default_factory=list, description="The expressions that it went through in this step.")
    origins: list[Origin] = Field(default_factory=list, description="The columns of steps before that it is made of.")


class Use(BaseModel):
    """A use of a column of a step before (or, for a rule on the step itself, of its own)."""

    purpose: Purpose
    text: str = ""
    origins: list[Origin] = Field(default_factory=list)


class StepNode(BaseModel):
    """A step with its columns; ``unknown`` says why they, or where they come from, cannot be told."""

    id: str
    name: str = ""
    type: str
    place: str = Field("", description="The file or table that an extract reads, that a load fills, or the model.")
    needs: list[str] = Field(default_factory=list)
    columns: list[ColumnNode] = Field(default_factory=list)
    uses: list[Use] = Field(default_factory=list)
    unknown: str = ""


class LineageGraph(BaseModel):
    """The steps of a pipeline in the order in which they run."""

    steps: list[StepNode] = Field(default_factory=list)
