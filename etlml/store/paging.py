"""Lists page by cursor: sorted and limited by MongoDB, stable while documents are added."""

import base64
import binascii
import json
import re
from collections.abc import Collection as Values
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from etlml.errors import InvalidInput
from etlml.store.collection import Collection, Filter
from etlml.store.encoding import T, decoded

Item = TypeVar("Item")

MAX_LIMIT = 1000
QUERY_MS = 5000  # a list that takes longer is refused with the mend, rather than left to block its page


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some documents of a list; ``next_cursor`` brings the following ones, None says that these were the last."""

    items: list[Item] = field(default_factory=list)
    next_cursor: str | None = None


def page(
    collection: Collection,
    model: type[T],
    filter_: Filter,
    *,
    limit: int = 50,
    cursor: str | None = None,
    by: str = "created_at",
    newest_first: bool = True,
    projection: Filter | None = None,
) -> Page[T]:
    """One page of ``collection``, in the order of the time field ``by`` and then of the id.

    Raises:
        InvalidInput: The cursor is not one that a page gave, or the query took too long.
    """
    limit = bounded(limit)
    sign, past = (-1, "$lt") if newest_first else (1, "$gt")
    conditions: list[Filter] = [filter_] if filter_ else []
    if cursor is not None:
        at, key = decode_cursor(cursor)
        # The first part bounds the index scan; the second steps over those of the same millisecond that were shown.
        conditions += [{by: {f"{past}e": at}}, {"$or": [{by: {past: at}}, {by: at, "_id": {past: key}}]}]
    found = collection.find(
        {"$and": conditions} if conditions else {},
        sort=[(by, sign), ("_id", sign)],
        limit=limit + 1,
        projection=projection,
        max_ms=QUERY_MS,
    )
    rest = len(found) > limit
    shown = found[:limit]
    following = encode_cursor(shown[-1][by], str(shown[-1]["_id"])) if rest else None
    return Page([decoded(model, each) for each in shown], following)


def bounded(limit: int) -> int:
    """A page size that MongoDB and the reader can bear."""
    return max(1, min(limit, MAX_LIMIT))


def encode_cursor(at: datetime, key: str) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), key]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """The place that a cursor stands for.

    Raises:
        InvalidInput: It is not one of ours.
    """
    try:
        at, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return datetime.fromisoformat(at), str(key)
    except (ValueError, TypeError, binascii.Error):
        raise InvalidInput(
            f"{cursor[:40]!r} is not a cursor. Use next_cursor of the page before.", field="cursor"
        ) from None


def is_cursor(text: str) -> bool:
    """Whether some list's page may have given it."""
    for decode in (decode_cursor, decode_offset):
        try:
            decode(text)
        except InvalidInput:
            continue
        return True
    return False


def encode_offset(skip: int) -> str:
    """An opaque place in a short list that is not sorted by time: how many come before it."""
    return base64.urlsafe_b64encode(json.dumps([skip]).encode()).decode().rstrip("=")


def decode_offset(cursor: str) -> int:
    """How many come before the place that a cursor stands for.

    Raises:
        InvalidInput: It is not one of ours.
    """
    try:
        (skip,) = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(skip, int) and 0 <= skip < 2**31:
            return skip
    except (ValueError, TypeError, binascii.Error):
        pass
    raise InvalidInput(f"{cursor[:40]!r} is not a cursor. Use next_cursor of the page before.", field="cursor")


def contains(text: str) -> Mapping[str, str]:
    """A filter for fields that contain ``text``, upper or lower case."""
    return {"$regex": literal(text), "$options": "i"}


def literal(text: str) -> str:
    """A regular expression for exactly this text.

    Raises:
        InvalidInput: It holds a null character, which MongoDB takes for the expression's end.
    """
    if "\0" in text:
        raise InvalidInput("The text to look for holds a character that no text has. Type it anew.", field="q")
    return re.escape(text)


def matching(**fields: Any) -> dict[str, Any]:
    """A filter on those fields that are not None; a collection of values means any of them."""
    return {
        name: {"$in": sorted(value)} if isinstance(value, Values) and not isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }


def within(field_name: str, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """A filter for times from ``since`` (included) to ``until`` (not included)."""
    bounds = {"$gte": since, "$lt": until}
    found = {operator: at for operator, at in bounds.items() if at is not None}
    return {field_name: found} if found else {}


def day_of(field_name: str, timezone: str) -> dict[str, Any]:
    """An expression for the day of a time, as ``2026-01-31`` in a time zone."""
    return _text_of(field_name, timezone, "%Y-%m-%d")


def hour_of(field_name: str, timezone: str) -> dict[str, Any]:
    """An expression for the hour of a time, as ``2026-01-31 14:00`` in a time zone."""
    return _text_of(field_name, timezone, "%Y-%m-%d %H:00")


def _text_of(field_name: str, timezone: str, form: str) -> dict[str, Any]:
    text = {"format": form, "date": field_name}
    return {"$dateToString": text if timezone == "UTC" else text | {"timezone": timezone}}
