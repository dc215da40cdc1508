"""Which log lines are meant. A line's id starts with its time, so one index serves each filter and the order."""

import itertools
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from etlml.errors import InvalidInput
from etlml.store.log_minutes import LEVELS
from etlml.store.paging import literal, matching

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_counter = itertools.count(int.from_bytes(os.urandom(3)))


class LogFilter(TypedDict, total=False):
    """What lines must have in common; what is left out or None does not matter."""

    level: str | None
    """This level and above."""
    source: str | None
    run_id: str | None
    step_id: str | None
    pipeline_id: str | None
    q: str | None
    """Text that the message contains, upper or lower case; a pattern if ``regex``."""
    regex: bool
    group: str | None
    """The key of a group of equal problems."""
    since: datetime | None
    """From this time on (included)."""
    until: datetime | None
    """Up to this time (not included)."""


def lines_matching(wanted: LogFilter) -> dict[str, Any]:
    """The filter as MongoDB takes it.

    Raises:
        InvalidInput: The level or the pattern cannot be used.
    """
    level, text = wanted.get("level"), wanted.get("q")
    filter_ = matching(
        level=None if level in (None, LEVELS[0]) else levels_from(str(level)),
        source=wanted.get("source"),
        run_id=wanted.get("run_id"),
        step_id=wanted.get("step_id"),
        pipeline_id=wanted.get("pipeline_id"),
        group=wanted.get("group"),
    )
    if text:
        filter_["message"] = {"$regex": _pattern(text) if wanted.get("regex") else literal(text), "$options": "i"}
    if bounds := ids_within(wanted.get("since"), wanted.get("until")):
        filter_["_id"] = bounds
    return filter_


def is_narrow(wanted: Mapping[str, Any]) -> bool:
    """Whether lines must be read to find those that fit: not where only level, source and time count."""
    return any(value for name, value in wanted.items() if name not in ("level", "source", "since", "until"))


def levels_from(level: str) -> Sequence[str]:
    """That level and those above.

    Raises:
        InvalidInput: There is no such level.
    """
    if level not in LEVELS:
        raise InvalidInput(f"{level!r} is not a level. Known: {', '.join(LEVELS)}.", field="level")
    return LEVELS[LEVELS.index(level) :]


def ids_within(since: datetime | None, until: datetime | None) -> dict[str, str]:
    """Bounds of ids for times from ``since`` (included) to ``until`` (not included)."""
    bounds = {"$gte": since, "$lt": until}
    return {operator: first_id(at) for operator, at in bounds.items() if at is not None}


def log_id(at: datetime) -> str:
    """A fresh id that sorts by time and, within a millisecond, in the order in which this process asked for it."""
    return f"{first_id(at)}{next(_counter) & 0xFFFFFFFFFF:010x}"


def first_id(at: datetime) -> str:
    """What the ids of that time's lines begin with; it sorts before all of them."""
    return f"{max(0, (at - _EPOCH) // _MILLISECOND):012x}"  # cut, not rounded, as MongoDB keeps times


def end_of(cursor: str) -> datetime:
    """The end of the millisecond up to which a cursor has come.

    Raises:
        InvalidInput: It is none.
    """
    try:
        if re.fullmatch(r"[0-9a-f]{12,32}", cursor):
            return _EPOCH + _MILLISECOND * (int(cursor[:12], 16) + 1)
    except OverflowError:  # beyond the year 9999
        pass
    raise InvalidInput(f"{cursor[:40]!r} is not a cursor. Use next_cursor of the page before.", field="cursor")


def _pattern(text: str) -> str:
    literal(text)
    try:
        re.compile(text)
    except re.error as error:
        raise InvalidInput(f"The pattern {text!r} cannot be used: {error}.", field="q") from None
    return text
