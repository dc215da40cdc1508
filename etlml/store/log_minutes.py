"""How many lines each minute, hour, source and level has: counted as lines are stored, so that nobody need read them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document
from etlml.store.paging import QUERY_MS, matching, within

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NAME, HOURS = "log_minutes", "log_hours"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
Lines = tuple[datetime, str, str]
"""Time, source and level of a line."""
Volume = dict[tuple[int, str], int]
"""Lines by the number of a bucket and by level."""


class LogCounts:
    """Counts by one unit of time. They may differ from the lines by what a crash cut off between the two writes."""

    def __init__(self, database: Database[Document], name: str = NAME, unit: timedelta = MINUTE) -> None:
        self.collection = Collection(database[name], write_concern=RELAXED)
        self.unit = unit

    def change(self, lines: Mapping[Lines, int]) -> None:
        """Add to the counts, or take from them."""
        found: dict[tuple[datetime, str], Counter[str]] = {}
        for (at, source, level), number in lines.items():
            found.setdefault((floor(at, self.unit), source), Counter())[f"levels.{level}"] += number
        self.collection.upsert_each(
            {
                f"{int(at.timestamp()):010x}-{source}": {
                    "$inc": dict(levels),
                    "$setOnInsert": {"at": at, "source": source},
                }
                for (at, source), levels in found.items()
            }
        )

    def volume(self, since: datetime, until: datetime, width: timedelta, source: str | None) -> Volume:
        """Lines by bucket and level, the first bucket beginning at ``since``; the units at both ends count whole."""
        number = {"$floor": {"$divide": [{"$subtract": ["$at", since]}, width / timedelta(milliseconds=1)]}}
        groups = self._sums(within("at", floor(since, self.unit), until) | matching(source=source), number)
        return {(int(each["_id"]), level): each[level] for each in groups for level in LEVELS if each[level]}

    def totals(self, since: datetime | None, until: datetime | None, source: str | None) -> Counter[str]:
        """Lines by level; the units at both ends count whole."""
        first = floor(since, self.unit) if since is not None else None
        groups = self._sums(within("at", first, until) | matching(source=source), None)
        return Counter({level: each[level] for each in groups for level in LEVELS})

    def _sums(self, filter_: dict[str, Any], key: Any) -> list[Document]:
        sums = {level: {"$sum": f"$levels.{level}"} for level in LEVELS}
        return self.collection.aggregate([{"$match": filter_}, {"$group": {"_id": key, **sums}}], max_ms=QUERY_MS)

    def sources(self, hour: datetime) -> set[str]:
        """The sources that have lines in that hour."""
        found = self.collection.find(within("at", hour, hour + HOUR), projection={"source": 1})
        return {str(each["source"]) for each in found}

    def first(self) -> datetime | None:
        """The first unit that was counted."""
        found = self.collection.find({}, sort=[("at", 1)], limit=1, projection={"at": 1})
        return found[0]["at"] if found else None

    def delete_before(self, before: datetime) -> None:
        """Forget the units before that one."""
        self.collection.delete({"at": {"$lt": floor(before, self.unit)}})


class LogVolume:
    """How many lines there are when: by the minute, and by the hour for long ranges."""

    def __init__(self, database: Database[Document]) -> None:
        self._minutes = LogCounts(database)
        self._hours = LogCounts(database, HOURS, HOUR)

    def add(self, lines: Iterable[Lines]) -> None:
        """Count lines that were stored."""
        self.change(Counter((minute_of(at), source, level) for at, source, level in lines))

    def change(self, lines: Mapping[Lines, int]) -> None:
        """Add to the counts, or take from them."""
        self._minutes.change(lines)
        self._hours.change(lines)

    def volume(self, since: datetime, until: datetime, width: timedelta, source: str | None = None) -> Volume:
        """Lines by bucket and level; buckets of whole hours that begin at one are counted by the hour."""
        hourly = not width % HOUR and since == floor(since, HOUR)
        start = self._hours_since(since, width) if hourly else None
        if start is None or start >= until:
            return self._minutes.volume(since, until, width, source)
        shift = (start - since) // width
        found = {
            (at + shift, level): lines for (at, level), lines in self._hours.volume(start, until, width, source).items()
        }
        return found | (self._minutes.volume(since, start, width, source) if start > since else {})

    def totals(self, since: datetime | None, until: datetime | None, source: str | None = None) -> dict[str, int]:
        """Lines by level; the minutes at both ends count whole."""
        begin = self._hours_since(since, HOUR)
        end = floor(until, HOUR) if until is not None else None
        if begin is None or (end is not None and begin >= end):
            return dict(self._minutes.totals(since, until, source))
        found = self._hours.totals(begin, end, source)
        if since is None or since < begin:
            found += self._minutes.totals(since, begin, source)
        if end is not None and until is not None and end < until:
            found += self._minutes.totals(end, until, source)
        return dict(found)

    def _hours_since(self, since: datetime | None, width: timedelta) -> datetime | None:
        """The first bucket from which on hours are complete: they were not counted from the beginning."""
        first = self._hours.first()
        if first is None:
            return None
        earliest = self._minutes.first()
        whole = first if earliest is None or earliest >= first else first + HOUR
        if since is None:
            return whole
        if since >= whole:
            return since + (-(since - floor(since, HOUR)) % HOUR)
        return since + width * -(-(whole - since) // width)

    def delete_before(self, before: datetime) -> None:
        """Forget the time before then."""
        self._minutes.delete_before(before)
        self._hours.delete_before(before)
        hour = floor(before, HOUR)
        if minute_of(before) > hour:  # what is left of the hour is in its minutes
            self._hours.collection.delete({"at": hour})
            left = {source: self._minutes.totals(hour, hour + HOUR, source) for source in self._minutes.sources(hour)}
            self._hours.change(
                {(hour, source, level): n for source, levels in left.items() for level, n in levels.items()}
            )


def floor(at: datetime, unit: timedelta) -> datetime:
    """The beginning of a time's minute or hour."""
    begun = at.astimezone(UTC).replace(second=0, microsecond=0)
    return begun.replace(minute=0) if unit == HOUR else begun


def minute_of(at: datetime) -> datetime:
    """The beginning of a time's minute."""
    return floor(at, MINUTE)
