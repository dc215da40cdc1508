"""Preparation: how columns become the matrix that an algorithm takes. A recipe is what was learned about one column."""

from typing import Any

import numpy as np

from etlml.services.script.parts.columns_in import Values

TIME_PARTS = ("days", "year", "month", "day", "weekday", "hour")


def prepare(
    frame: dict[str, Values], target: Any, style: dict[str, Any], seed: int
) -> tuple[list[dict[str, Any]], Any]:
    """Learn the recipes from training rows; the recipes and the training matrix.

    ``style`` says what the algorithm wants: scaling (none, standard, unit), takes_missing, takes_categories, dtype.
    """
    learned = [learn(name, values, target, style, seed) for name, values in frame.items()]
    return [recipe for recipe, _ in learned], assembled([block for _, block in learned], style["dtype"])


def matrix_of(recipes: list[dict[str, Any]], frame: dict[str, Values], dtype: str) -> Any:
    """The matrix of other rows by the same recipes."""
    return assembled([encode(recipe, frame[recipe["column"]]) for recipe in recipes], dtype)


def assembled(blocks: list[Any], dtype: str) -> Any:
    """Blocks of columns side by side."""
    return np.ascontiguousarray(np.hstack(blocks).astype(dtype))


def learn(name: str, values: Values, target: Any, style: dict[str, Any], seed: int) -> tuple[dict[str, Any], Any]:
    """A column's recipe and its part of the training matrix."""
    if values.kind == "text":
        return learn_text(name, values, target, style, seed)
    present = values.data[~values.missing]
    if values.kind == "number":
        recipe: dict[str, Any] = {
            "column": name,
            "recipe": "number",
            "fill": None,
            "marks": False,
            "center": 0.0,
            "scale": 1.0,
        }
        if not style["takes_missing"]:
            center, scale = scaling(present, style)
            fill = float(np.median(present)) if present.size else 0.0
            recipe |= {"fill": fill, "marks": len(present) < len(values.data), "center": center, "scale": scale}
    else:
        found = {part: time_part(present, part) for part in TIME_PARTS}
        parts = [part for part in TIME_PARTS if part == "days" or np.unique(found[part]).size > 1]
        scalings = [scaling(found[part], style) for part in parts]
        recipe = {"column": name, "recipe": "time", "parts": parts}
        recipe["fills"] = None if style["takes_missing"] else [float(np.median(found[part])) for part in parts]
        recipe |= {"centers": [center for center, _ in scalings], "scales": [scale for _, scale in scalings]}
    return recipe, encode(recipe, values)


def scaling(present: Any, style: dict[str, Any]) -> tuple[float, float]:
    """Centre and scale of a column."""
    if style["scaling"] == "none" or present.size == 0:
        return 0.0, 1.0
    if style["scaling"] == "unit":
        low, high = float(present.min()), float(present.max())
        return low, (high - low) or 1.0
    return float(present.mean()), float(present.std()) or 1.0


def learn_text(name: str, values: Values, target: Any, style: dict[str, Any], seed: int) -> tuple[dict[str, Any], Any]:
    """Few categories become columns of 0 and 1; many become what is known of each: the target's mean, or how often it is."""
    counts = np.bincount(values.data[values.data >= 0], minlength=len(values.texts))
    categories = sorted(value for value, count in zip(values.texts, counts, strict=True) if count)
    recipe: dict[str, Any] = {"column": name, "categories": categories}
    if style["takes_categories"] and len(categories) <= 255:
        recipe["recipe"] = "ordinal"
    elif len(categories) <= 20:
        number = dict(zip(values.texts, counts.tolist(), strict=True))
        rare = {each for each in categories if number[each] < max(2.0, 0.001 * counts.sum())}
        if len(rare) < 2 or len(rare) == len(categories):
            rare = set()
        recipe |= {"recipe": "one_hot", "categories": [each for each in categories if each not in rare]}
        recipe |= {"other": bool(rare), "missing": bool((values.data < 0).any())}
    elif target is None:
        shares = dict(zip(values.texts, (counts / max(1, counts.sum())).tolist(), strict=True))
        center, scale = scaling(np.array([shares[values.texts[code]] for code in values.data if code >= 0]), style)
        table = [[(shares[each] - center) / scale] for each in categories]
        recipe |= {"recipe": "lookup", "values": table, "default": [(0.0 - center) / scale]}
    else:
        return learn_target(recipe, values, target, style, seed)
    return recipe, encode(recipe, values)


def learn_target(
    recipe: dict[str, Any], values: Values, target: Any, style: dict[str, Any], seed: int
) -> tuple[dict[str, Any], Any]:
    """Means of the target by category; training rows get the means of the other rows, so that none sees its own answer."""
    categories = recipe["categories"]
    found = positions(values, categories, unknown=len(categories), missing=len(categories))
    overall, folds = target.mean(axis=0), np.random.default_rng(seed).integers(0, 5, len(found))
    block = np.empty((len(found), target.shape[1]))
    for fold in range(5):
        inside = folds == fold
        block[inside] = means(found[~inside], target[~inside], len(categories) + 1, overall)[found[inside]]
    table = means(found, target, len(categories) + 1, overall)
    scalings = [scaling(block[:, index], style) for index in range(block.shape[1])]
    centers, scales = np.array([center for center, _ in scalings]), np.array([scale for _, scale in scalings])
    recipe |= {"recipe": "lookup", "values": ((table[:-1] - centers) / scales).tolist()}
    return recipe | {"default": ((table[-1] - centers) / scales).tolist()}, (block - centers) / scales


def means(found: Any, target: Any, width: int, overall: Any) -> Any:
    """The target's mean for each category, drawn to the overall mean by the weight of 10 rows."""
    counts = np.bincount(found, minlength=width)[:, None]
    sums = [np.bincount(found, weights=target[:, index], minlength=width) for index in range(target.shape[1])]
    return (np.column_stack(sums) + 10.0 * overall) / (counts + 10.0)


def encode(recipe: dict[str, Any], values: Values) -> Any:
    """A column's part of the matrix."""
    kind = recipe["recipe"]
    if kind == "number":
        data, absent = values.data, np.isnan(values.data)
        if recipe["fill"] is not None and absent.any():
            data = np.where(absent, recipe["fill"], data)
        if (recipe["center"], recipe["scale"]) != (0.0, 1.0):
            data = (data - recipe["center"]) / recipe["scale"]
        return np.column_stack([data, absent.astype(np.float64)] if recipe["marks"] else [data])
    if kind == "time":
        block = np.column_stack([time_part(values.data, part) for part in recipe["parts"]])
        if recipe["fills"] is not None:
            block = np.where(np.isnan(block), np.array(recipe["fills"]), block)
        return (block - np.array(recipe["centers"])) / np.array(recipe["scales"])
    known = len(recipe["categories"])
    if kind == "ordinal":
        found = positions(values, recipe["categories"], unknown=-1, missing=-1).astype(np.float64)
        found[found < 0] = np.nan
        return found[:, None]
    if kind == "lookup":
        table = np.array([*recipe["values"], recipe["default"]], dtype=np.float64)
        return table[positions(values, recipe["categories"], unknown=known, missing=known)]
    absent = known + recipe["other"] if recipe["missing"] else -1
    found = positions(values, recipe["categories"], unknown=known if recipe["other"] else -1, missing=absent)
    block = np.zeros((len(found), known + recipe["other"] + recipe["missing"]))
    rows = np.flatnonzero(found >= 0)
    block[rows, found[rows]] = 1.0
    return block


def positions(values: Values, categories: list[str], *, unknown: int, missing: int) -> Any:
    """For each row the place of its category."""
    place = {category: index for index, category in enumerate(categories)}
    table = np.array([*(place.get(value, unknown) for value in values.texts), missing], dtype=np.int64)
    return table[values.data]  # code -1 takes the last: missing


def time_part(times: Any, part: str) -> Any:
    """One part of each time: days since 1970 (with fraction), year, month, day, weekday 0 = Monday, hour."""
    days = times.astype("datetime64[D]")
    parts = {
        "days": lambda: times.astype(np.int64) / 86_400_000_000,
        "year": lambda: times.astype("datetime64[Y]").astype(np.int64) + 1970,
        "month": lambda: times.astype("datetime64[M]").astype(np.int64) % 12 + 1,
        "day": lambda: (days - times.astype("datetime64[M]")).astype(np.int64) + 1,
        "weekday": lambda: (days.astype(np.int64) + 3) % 7,
        "hour": lambda: (times - days).astype("timedelta64[h]").astype(np.int64),
    }
    return np.where(np.isnat(times), np.nan, np.asarray(parts[part](), dtype=np.float64))
