"""Groups of equal problems in any time: whole hours as they are counted, the rest by reading the lines."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from etlml.store.collection import Collection
from etlml.store.log_filter import LogFilter, is_narrow, levels_from, lines_matching
from etlml.store.log_groups import GROUPED, HOUR, LogGroup, LogGroups, hour_of, merged
from etlml.store.log_lines import GroupsSoFar, LineGroups

_MICROSECOND = timedelta(microseconds=1)


class LogProblems:
    """Warnings and errors by what they say. Thread-safe.

    Args:
        collection: The lines.
        counted: Their groups by the hour.
    """

    def __init__(self, collection: Collection, counted: LogGroups) -> None:
        self._collection = collection
        self._counted = counted
        self._lines = LineGroups(collection)

    def groups(self, wanted: LogFilter) -> list[LogGroup]:
        """All groups of the lines that fit, the most frequent first.

        Raises:
            InvalidInput: The level or the pattern cannot be used, or it took too long.
        """
        since, until, levels = wanted.get("since"), wanted.get("until"), _levels(wanted)
        hours = None if is_narrow(wanted) else self._whole_hours(since, until)
        if hours is None:
            return merged(self._read(wanted, since, until, levels))
        begin, end = hours
        parts = [*self._counted.between(begin, end, levels=levels, source=wanted.get("source"))]
        parts += self._read(wanted, since, begin, levels)
        if end is not None:
            parts += self._read(wanted, end, until, levels)
        return merged(parts)

    def advanced(self, found: GroupsSoFar, wanted: LogFilter, patience_s: float) -> GroupsSoFar:
        """With the groups of as many older lines as the patience allows."""
        return self._lines.advanced(found, wanted, _levels(wanted), patience_s)

    def group(self, key: str) -> LogGroup | None:
        """What the lines of a group have in common; None if there are none."""
        found = self._collection.find({"group": key}, sort=[("_id", -1)], limit=1, projection={"fields": 0})
        if not found:
            return None
        return next(iter(self._lines.groups({"_id": found[0]["_id"]})), None)

    def _whole_hours(self, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime | None] | None:
        """From when to when (None: to the end) whole hours of a time are counted; None if none is."""
        first = self._counted.first_hour()
        if first is None:
            return None
        begin = first if since is None or since < first else hour_of(since - _MICROSECOND) + HOUR
        end = None if until is None else hour_of(until)
        return None if end is not None and begin >= end else (begin, end)

    def _read(
        self, wanted: LogFilter, since: datetime | None, until: datetime | None, levels: Sequence[str]
    ) -> Sequence[LogGroup]:
        """Groups of the lines of a time, found by reading them."""
        if since is not None and until is not None and since >= until:
            return []
        filter_ = lines_matching({**wanted, "since": since, "until": until, "level": None})
        return self._lines.groups(filter_ | {"level": {"$in": levels}})


def _levels(wanted: LogFilter) -> list[str]:
    return [level for level in levels_from(wanted.get("level") or GROUPED[0]) if level in GROUPED]
