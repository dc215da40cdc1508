"""Recipes: how one column becomes columns of the matrix that an estimator takes. Pure, typed, stored as JSON."""

from abc import ABC, abstractmethod
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from etlml.ml.values import Floats, Numbers, Texts, Times, Values

TimePart = Literal["days", "year", "month", "day", "weekday", "hour"]


class Recipe(BaseModel, ABC):
    """What was learned about one column from the training rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str

    @property
    @abstractmethod
    def outputs(self) -> list[str]:
        """The names of the matrix columns that it gives."""

    @abstractmethod
    def encode(self, values: Values) -> Floats:
        """The matrix columns for these values, shape (rows, len(outputs))."""


class NumberRecipe(Recipe):
    """A number, missing ones filled (None: left as NaN), then (x - center) / scale; with a column that marks the filled ones."""

    recipe: Literal["number"] = "number"
    fill: float | None = None
    marks_missing: bool = False
    center: float = 0.0
    scale: float = 1.0

    @property
    def outputs(self) -> list[str]:
        return [self.column, f"{self.column} is missing"] if self.marks_missing else [self.column]

    def encode(self, values: Values) -> Floats:
        data = _numbers(values)
        absent = np.isnan(data)
        if self.fill is not None and absent.any():
            data = np.where(absent, self.fill, data)
        if (self.center, self.scale) != (0.0, 1.0):
            data = (data - self.center) / self.scale
        columns = [data, absent.astype(np.float64)] if self.marks_missing else [data]
        return np.column_stack(columns)


class OneHotRecipe(Recipe):
    """A column of 0 and 1 for each category; an unknown category is ``other`` if there were rare ones, else all 0."""

    recipe: Literal["one_hot"] = "one_hot"
    categories: list[str]
    has_other: bool = False
    has_missing: bool = False

    @property
    def outputs(self) -> list[str]:
        more = ["(other)"] * self.has_other + ["(missing)"] * self.has_missing
        return [f"{self.column} = {category}" for category in [*self.categories, *more]]

    def encode(self, values: Values) -> Floats:
        known = len(self.categories)
        other = known if self.has_other else -1
        absent = known + self.has_other if self.has_missing else -1
        positions = _positions(values, self.categories, unknown=other, missing=absent)
        block = np.zeros((len(positions), len(self.outputs)))
        rows = np.flatnonzero(positions >= 0)
        block[rows, positions[rows]] = 1.0
        return block


class OrdinalRecipe(Recipe):
    """A category's number, for algorithms that treat it as a category; an unknown or missing one is NaN."""

    recipe: Literal["ordinal"] = "ordinal"
    categories: list[str]

    @property
    def outputs(self) -> list[str]:
        return [self.column]

    def encode(self, values: Values) -> Floats:
        positions = _positions(values, self.categories, unknown=-1, missing=-1).astype(np.float64)
        positions[positions < 0] = np.nan
        return positions[:, None]


class LookupRecipe(Recipe):
    """A category as what was learned about it: the mean of the target (of each class) or how often it occurs."""

    recipe: Literal["lookup"] = "lookup"
    learned: Literal["target", "frequency"]
    categories: list[str]
    values: list[list[float]]
    default: list[float] = Field(description="For a category that was not there, and for a missing one.")

    @property
    def outputs(self) -> list[str]:
        if len(self.default) == 1:
            return [f"{self.column} ({self.learned})"]
        return [f"{self.column} ({self.learned} {index})" for index in range(len(self.default))]

    def encode(self, values: Values) -> Floats:
        table = np.array([*self.values, self.default], dtype=np.float64)
        unknown = len(self.categories)
        found: Floats = table[_positions(values, self.categories, unknown=unknown, missing=unknown)]
        return found


class TimeRecipe(Recipe):
    """A point in time as its parts, UTC, each (x - center) / scale; a missing one takes the fills (None: NaN)."""

    recipe: Literal["time"] = "time"
    parts: list[TimePart]
    fills: list[float] | None = None
    centers: list[float]
    scales: list[float]

    @property
    def outputs(self) -> list[str]:
        return [f"{self.column}.{part}" for part in self.parts]

    def encode(self, values: Values) -> Floats:
        if not isinstance(values, Times):
            raise TypeError(f"{self.column} holds no times")
        block = np.column_stack([time_part(values.data, part) for part in self.parts])
        if self.fills is not None:
            block = np.where(np.isnan(block), np.array(self.fills), block)
        scaled: Floats = (block - np.array(self.centers)) / np.array(self.scales)
        return scaled


AnyRecipe = Annotated[
    NumberRecipe | OneHotRecipe | OrdinalRecipe | LookupRecipe | TimeRecipe, Field(discriminator="recipe")
]
Recipes: TypeAdapter[list[AnyRecipe]] = TypeAdapter(list[AnyRecipe])


def time_part(times: NDArray[np.datetime64], part: TimePart) -> Floats:
    """One part of each time: days since 1970 (with fraction), year, month 1-12, day 1-31, weekday 0 = Monday, hour."""
    days = times.astype("datetime64[D]")
    parts: dict[str, Any] = {
        "days": lambda: times.astype(np.int64) / 86_400_000_000,
        "year": lambda: times.astype("datetime64[Y]").astype(np.int64) + 1970,
        "month": lambda: times.astype("datetime64[M]").astype(np.int64) % 12 + 1,
        "day": lambda: (days - times.astype("datetime64[M]")).astype(np.int64) + 1,
        "weekday": lambda: (days.astype(np.int64) + 3) % 7,
        "hour": lambda: (times - days).astype("timedelta64[h]").astype(np.int64),
    }
    found = np.asarray(parts[part](), dtype=np.float64)
    return np.where(np.isnat(times), np.nan, found)


def _numbers(values: Values) -> Floats:
    if not isinstance(values, Numbers):
        raise TypeError("these are no numbers")
    return values.data


def _positions(values: Values, categories: list[str], *, unknown: int, missing: int) -> NDArray[np.int64]:
    """For each row the position of its category in ``categories``."""
    if not isinstance(values, Texts):
        raise TypeError("these are no texts")
    place = {category: index for index, category in enumerate(categories)}
    table = np.array([*(place.get(value, unknown) for value in values.values), missing], dtype=np.int64)
    return table[values.codes]  # code -1 takes the last: missing
