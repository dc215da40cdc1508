"""The transform ops. ``AnyOp`` is the whole registry: one class, one name, one SELECT.

An op that needs more than SQL (``reads_rows``) is carried out by etlml.steps.transform; one that applies a registered
model would be of that kind and get the model through the step's context.
"""

from typing import Annotated

from pydantic import Field

from etlml.steps.ops.base import Op
from etlml.steps.ops.code import Python, Sql
from etlml.steps.ops.columns import Cast, Drop, Rename, Select
from etlml.steps.ops.combining import Join, Union
from etlml.steps.ops.grouping import Aggregate, Pivot, Window
from etlml.steps.ops.reshaping import Unnest, Unpivot
from etlml.steps.ops.rows import Dedupe, DropNull, Filter, Limit, Sample, Sort
from etlml.steps.ops.values import Derive, FillNull, Replace, Split

AnyOp = Annotated[
    Select
    | Drop
    | Rename
    | Cast
    | Filter
    | Derive
    | FillNull
    | DropNull
    | Replace
    | Dedupe
    | Sort
    | Limit
    | Sample
    | Aggregate
    | Pivot
    | Unpivot
    | Join
    | Union
    | Window
    | Unnest
    | Split
    | Sql
    | Python,
    Field(discriminator="op"),
]

__all__ = ["AnyOp", "Op"]
