"""Documents to MongoDB and back: one pair of functions."""

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from etlml.documents import Stored

T = TypeVar("T", bound=Stored)

Document = dict[str, Any]
_INT64 = 2**63


def storable(value: Any) -> Any:
    """``value`` in types that BSON has: what users put into configs, samples and metrics comes in all kinds.

    Dates and times of day become ISO text, decimals and numpy scalars numbers, whole numbers beyond 64 bits text.
    """
    if value is None or isinstance(value, str | bool | float | datetime | bytes):
        return str(value) if type(value) is not str and isinstance(value, str) else value
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else str(value)
    if isinstance(value, Mapping):
        return {str(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [storable(item) for item in value]
    if isinstance(value, BaseModel):
        return storable(value.model_dump())
    return _storable_scalar(value)


def _storable_scalar(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    if isinstance(value, PurePath | UUID):
        return str(value)
    for method in ("item", "tolist"):  # numpy's scalars and arrays, without importing numpy here
        convert = getattr(value, method, None)
        if callable(convert) and getattr(value, "size", 1) == 1:
            return storable(convert())
    tolist = getattr(value, "tolist", None)
    return storable(tolist()) if callable(tolist) else str(value)


def encoded(document: Stored) -> Document:
    """The stored form: ``_id`` is the document's id, which also stays readable as ``id``."""
    plain: Document = storable(document.model_dump())
    return {"_id": plain["id"], **plain} if "id" in plain else plain


def decoded(model: type[T], document: Mapping[str, Any]) -> T:
    """The document as its model; what this version does not know is passed over."""
    if "id" in model.model_fields and "id" not in document:
        document = {**document, "id": document["_id"]}
    return model.model_validate(document)
