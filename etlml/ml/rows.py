"""Rows as a caller gives them (JSON, Python) to values as a model takes them, checked one by one."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from etlml.errors import ColumnMissing, InvalidInput
from etlml.ml.values import Numbers, Texts, Times, Values


def frame_of_rows(rows: Sequence[Mapping[str, Any]], inputs: Sequence[Mapping[str, Any]]) -> dict[str, Values]:
    """The features of the rows; null is allowed, a missing feature is not.

    Args:
        inputs: The signature's inputs, each with name and type.

    Raises:
        ColumnMissing: A row lacks a feature.
        InvalidInput: A value does not fit its feature's type; rows count from 1.
    """
    return {item["name"]: _values(rows, item["name"], item["type"]) for item in inputs}


def _values(rows: Sequence[Mapping[str, Any]], name: str, kind: str) -> Values:
    convert = _CONVERTERS[kind]
    items = [_item(row, number, name, kind, convert) for number, row in enumerate(rows, start=1)]
    if kind == "text":
        return _texts(items)
    if kind == "datetime":
        return Times(
            np.array([np.datetime64("NaT") if item is None else item for item in items], dtype="datetime64[us]")
        )
    return Numbers(np.array([math.nan if item is None else item for item in items], dtype=np.float64))


def _item(row: Mapping[str, Any], number: int, name: str, kind: str, convert: Callable[[Any], Any]) -> Any:
    if name not in row:
        where = "the row" if number == 1 else f"row {number}"
        raise ColumnMissing(name, [str(key) for key in row], where=where)
    value = row[name]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        shown = repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:40]}..."
        raise InvalidInput(
            f"Row {number}: {name} must be {_WANTED[kind]}, but is {shown} ({type(value).__name__}).",
            row=number,
            field=name,
        ) from None


def _number(value: Any) -> float:
    if not isinstance(value, int | float | Decimal | np.number | np.bool_):
        raise TypeError
    number = float(value)
    return math.nan if math.isinf(number) else number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _time(value: Any) -> np.datetime64:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif not isinstance(value, date):
        raise TypeError
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")


def _texts(items: list[str | None]) -> Texts:
    values = list(dict.fromkeys(item for item in items if item is not None))
    place = {value: index for index, value in enumerate(values)}
    return Texts(np.array([-1 if item is None else place[item] for item in items], dtype=np.int32), values)


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "number": _number,
    "boolean": _number,
    "text": _text,
    "datetime": _time,
}
_WANTED = {
    "number": "a number",
    "boolean": "true or false",
    "text": "a text",
    "datetime": "a time such as 2024-05-31T08:00:00",
}
