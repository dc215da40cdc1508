"""What is written down of a training, so that it can be told apart and repeated: data, packages, parameters, signature."""

import hashlib
import math
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from etlml.ml.features import Chosen
from etlml.ml.preparation import Preparation
from etlml.ml.recipes import LookupRecipe, OneHotRecipe, OrdinalRecipe
from etlml.ml.target import Target
from etlml.ml.values import Texts, Times, Values, missing

MOST_CATEGORIES_SHOWN = 50
ENOUGH_ROWS = 20_000  # to tell what is typical; the rows come in an order that has nothing to do with their values
WHOLE_FILE = 256 * 2**20  # a larger Parquet file is told apart by its footer and its size


def fingerprint_of(path: Path) -> str:
    """What tells this file from every other: the SHA-256 of its bytes; of a large one that of its size and footer."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE_FILE:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        file.seek(-8, os.SEEK_END)
        footer = int.from_bytes(file.read(4), "little") + 8
        file.seek(-footer, os.SEEK_END)
        return f"sha256-footer:{hashlib.sha256(str(size).encode() + file.read()).hexdigest()}"


def environment() -> dict[str, str]:
    """The versions that a model depends on."""
    packages = ("etlml", "scikit-learn", "numpy", "scipy", "pyarrow", "skops")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def signature(preparation: Preparation, chosen: Chosen, target: Target | None) -> dict[str, Any]:
    """What the model takes and gives: ``{"inputs": [{name, type, categories?, example?}], "output": {name, type, classes?}}``."""
    inputs = [_input(recipe, chosen) for recipe in preparation.parsed]
    if target is None:
        return {"inputs": inputs, "output": {"name": "cluster", "type": "number"}}
    output: dict[str, Any] = {"name": target.name, "type": target.type}
    return {"inputs": inputs, "output": output | ({"classes": target.classes} if target.classes else {})}


def as_json(value: Any) -> Any:
    """A parameter as JSON; what JSON has no word for, such as NaN or an object, as text."""
    if isinstance(value, str | int | bool | type(None)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return repr(value)[:200]


def _input(recipe: Any, chosen: Chosen) -> dict[str, Any]:
    found: dict[str, Any] = {"name": recipe.column, "type": chosen.types[recipe.column]}
    if (
        isinstance(recipe, OneHotRecipe | OrdinalRecipe | LookupRecipe)
        and len(recipe.categories) <= MOST_CATEGORIES_SHOWN
    ):
        found["categories"] = recipe.categories
    example = typical(chosen.frame[recipe.column])
    if example is not None:
        found["example"] = bool(example) if found["type"] == "boolean" else example
    return found


def typical(values: Values) -> float | int | str | None:
    """A value as most rows have it, out of the first rows: the middle one, of texts the most frequent; None without any.

    Times are texts, as JSON has them.
    """
    rows = values.codes.size if isinstance(values, Texts) else values.data.size
    some = values.take(np.arange(min(ENOUGH_ROWS, rows)))
    present = some.take(np.flatnonzero(~missing(some)))
    if isinstance(present, Texts):
        return present.values[int(np.bincount(present.codes).argmax())] if present.codes.size else None
    if not present.data.size:
        return None
    middle = np.partition(present.data, present.data.size // 2)[present.data.size // 2]
    if isinstance(present, Times):
        return str(np.datetime_as_string(middle, unit="s"))
    number = float(middle)
    return int(number) if number.is_integer() else number
