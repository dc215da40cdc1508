"""Log lines, in the order of time: a line's id starts with its time, so one index serves each filter and the order."""

import itertools
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from etlml.documents import LogEntry
from etlml.errors import InvalidInput
from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document, decoded, storable
from etlml.store.faults import fault, translated
from etlml.store.log_groups import GROUPED, LogGroup, LogGroups, group_of, hour_of, merged
from etlml.store.log_groups import NAME as GROUPS
from etlml.store.log_lines import LineGroups
from etlml.store.log_minutes import HOUR, HOURS, LEVELS, MINUTE, LogVolume, floor, minute_of
from etlml.store.log_minutes import NAME as MINUTES
from etlml.store.paging import QUERY_MS, Page, bounded, literal, matching

SEARCH_MS = 4000
TTL_INDEX = "expires"
DEFAULT_DAYS = 30
MICROSECOND = timedelta(microseconds=1)
_FIRST_SLICE = timedelta(hours=6)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_counter = itertools.count(int.from_bytes(os.urandom(3)))


def log_id(at: datetime) -> str:
    """A fresh id that sorts by time and, within a millisecond, in the order in which this process asked for it."""
    return f"{_first_id(at)}{next(_counter) & 0xFFFFFFFFFF:010x}"


def time_of(cursor: str) -> datetime:
    """The time up to which a cursor has come; InvalidInput if it is none."""
    if re.fullmatch(r"[0-9a-f]{12,32}", cursor) is None:
        raise InvalidInput(f"{cursor[:40]!r} is not a cursor. Use next_cursor of the page before.", field="cursor")
    return _EPOCH + timedelta(milliseconds=int(cursor[:12], 16))


def _first_id(at: datetime) -> str:
    return f"{max(0, (at - _EPOCH) // timedelta(milliseconds=1)):012x}"  # cut, not rounded, as MongoDB keeps times


class LogStore:
    """All log lines. Thread-safe. A power cut may lose the last lines, for they are not waited for."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database[LogEntry.collection], write_concern=RELAXED)
        self._volume = LogVolume(database)
        self._groups = LogGroups(database)
        self._database = database

    def add_many(self, entries: Iterable[LogEntry]) -> int:
        """Store lines in one round trip, in their order; they get ids by their times. How many there were."""
        documents = [_stored(entry) for entry in entries]
        self.collection.insert_many(documents)
        self.count(documents)
        return len(documents)

    def count(self, documents: Sequence[Document]) -> None:
        """Count lines that were stored, for charts and groups."""
        self._volume.add((each["ts"], each["source"], each["level"]) for each in documents)
        self._groups.add(documents)

    def query(
        self,
        *,
        level: str | None = None,
        source: str | None = None,
        run_id: str | None = None,
        step_id: str | None = None,
        pipeline_id: str | None = None,
        q: str | None = None,
        regex: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
        newest_first: bool = True,
        exact_level: bool = False,
        group: str | None = None,
    ) -> Page[LogEntry]:
        """Lines in the order of time, newest first.

        Args:
            level: This level and above; only this one with ``exact_level``.
            q: Text that the message contains, upper or lower case; a pattern if ``regex``.
            since: From this time on (included).
            until: Up to this time (not included).
            group: Only lines of this group (see ``groups``).

        Raises:
            InvalidInput: The pattern or the cursor cannot be used, or the search took too long.
        """
        limit, filter_ = bounded(limit), _filter(level, exact_level, source, run_id, step_id, pipeline_id, q, regex)
        filter_ |= matching(group=group)
        bounds = _time_bounds(since, until)
        if cursor is not None:
            time_of(cursor)
            place = "$lt" if newest_first else "$gt"
            bounds[place] = min(cursor, bounds.get(place, cursor)) if newest_first else cursor
        if bounds:
            filter_["_id"] = bounds
        order = -1 if newest_first else 1
        found = self.collection.find(
            filter_, sort=[("_id", order)], limit=limit + 1, max_ms=SEARCH_MS if q else QUERY_MS
        )
        shown = found[:limit]
        return Page([decoded(LogEntry, each) for each in shown], shown[-1]["_id"] if len(found) > limit else None)

    def search(
        self,
        *,
        since: datetime,
        until: datetime,
        cursor: str | None = None,
        limit: int = 100,
        patience_s: float = 0.25,
        **filters: Any,
    ) -> Page[LogEntry]:
        """As ``query``, newest first, but it stops looking after a while: then there are few lines and a cursor to go on."""
        deadline = time.monotonic() + patience_s
        end = min(until, time_of(cursor) + timedelta(milliseconds=1)) if cursor else until
        width, found = _FIRST_SLICE, list[LogEntry]()
        while end > since:
            start = max(since, end - width)
            part = self.query(since=start, until=end, cursor=cursor, limit=limit - len(found), **filters)
            found += part.items
            if part.next_cursor:
                return Page(found, part.next_cursor)
            if start > since and time.monotonic() > deadline:
                return Page(found, _first_id(start))
            end, width = start, width * 2
        return Page(found)

    def each(self, *, level: str | None = None, group: str | None = None, **filters: Any) -> Iterator[LogEntry]:
        """All lines by the filters of ``query``, oldest first, read as they are asked for.

        Raises:
            InvalidInput: The level or the pattern cannot be used; at once, not at the first line.
        """
        bounds = _within_time(filters.pop("since", None), filters.pop("until", None))
        filter_ = _filter(level, False, **_with_defaults(filters)) | matching(group=group) | bounds
        return (decoded(LogEntry, each) for each in self.collection.each(filter_, sort=[("_id", 1)]))

    def tail(self, *, after: str | None = None, limit: int = 200, **filters: Any) -> Sequence[LogEntry]:
        """The newest lines, oldest of them first; with ``after`` (a line's id) the lines that follow it."""
        if after is not None:
            return self.query(cursor=after, limit=limit, newest_first=False, **filters).items
        return self.query(limit=limit, **filters).items[::-1]

    def counts_by_level(self, **filters: Any) -> dict[str, int]:
        """How many lines there are of each level, by the filters of ``query`` (but ``level``).

        Without other filters than source and time it counts whole minutes, without reading lines.
        """
        since, until = filters.pop("since", None), filters.pop("until", None)
        found = dict.fromkeys(LEVELS, 0)
        if _is_plain(filters):
            return found | self._volume.totals(since, until, filters.get("source"))
        filter_ = _filter(None, False, **_with_defaults(filters)) | _within_time(since, until)
        groups = self.collection.aggregate(
            [{"$match": filter_}, {"$group": {"_id": "$level", "lines": {"$sum": 1}}}], max_ms=QUERY_MS
        )
        return found | {each["_id"]: each["lines"] for each in groups}

    def histogram(
        self, since: datetime, until: datetime, *, buckets: int = 60, **filters: Any
    ) -> Sequence[dict[str, Any]]:
        """Lines by time and level: [{"at", "level", "lines"}], empty buckets left out.

        Buckets of a minute or more, without other filters than the source, begin at whole minutes; lines are not read.
        """
        width = max((until - since) / buckets, timedelta(milliseconds=1))
        if width >= MINUTE and _is_plain(filters):
            unit = HOUR if width >= HOUR else MINUTE
            since, width = floor(since, unit), unit * -(-width // unit)
            counts = self._volume.volume(since, until, width, filters.get("source"))
        else:
            counts = self._in_buckets(since, until, width, filters)
        return [
            {"at": since + width * bucket, "level": level, "lines": lines}
            for (bucket, level), lines in sorted(counts.items())
            if lines > 0
        ]

    def _in_buckets(
        self, since: datetime, until: datetime, width: timedelta, filters: dict[str, Any]
    ) -> dict[tuple[int, str], int]:
        filter_ = _filter(None, False, **_with_defaults(filters)) | _within_time(since, until)
        bucket = {"$floor": {"$divide": [{"$subtract": ["$ts", since]}, width / timedelta(milliseconds=1)]}}
        group = {"_id": {"bucket": bucket, "level": "$level"}, "lines": {"$sum": 1}}
        groups = self.collection.aggregate([{"$match": filter_}, {"$group": group}], max_ms=QUERY_MS)
        return {(int(each["_id"]["bucket"]), each["_id"]["level"]): each["lines"] for each in groups}

    def sources(self) -> Sequence[str]:
        """The sources that have lines, sorted."""
        with translated():
            return sorted(str(source) for source in self.collection.raw.distinct("source"))

    def groups(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        level: str | None = None,
        source: str | None = None,
        limit: int = 100,
        **filters: Any,
    ) -> Sequence[LogGroup]:
        """Warnings and errors that say the same but for numbers, ids, paths and quoted parts; the most frequent first.

        Without other filters than time, level and source, whole hours are counted without reading lines.

        Args:
            since: From this time on (included).
            until: Up to this time (not included).
            level: This level and above, at least WARNING.
            source: Only lines of this source.
            limit: At most so many groups.
            filters: The others of ``query``.

        Raises:
            InvalidInput: The level or the pattern cannot be used, or it took too long.
        """
        levels = [each for each in GROUPED if level is None or LEVELS.index(each) >= LEVELS.index(_known(level))]
        lines = LineGroups(self.collection)
        filter_ = _filter(None, False, **_with_defaults({**filters, "source": source})) | {"level": {"$in": levels}}

        def read(start: datetime | None, end: datetime | None) -> Sequence[LogGroup]:
            nothing = start is not None and end is not None and start >= end
            return [] if nothing else lines.groups(filter_ | _within_time(start, end))

        first = self._groups.first_hour()
        if first is None or not _is_plain(filters):
            return merged(read(since, until))[:limit]
        begin = first if since is None or since < first else hour_of(since - MICROSECOND) + HOUR
        end = hour_of(until) if until is not None else None
        if end is not None and begin >= end:
            return merged(read(since, until))[:limit]
        counted = self._groups.between(begin, end, levels=levels, source=source)
        edges = [*read(since, begin), *(read(end, until) if end is not None else [])]
        return merged([*counted, *edges])[:limit]

    def group(self, key: str) -> LogGroup | None:
        """What the lines of a group have in common; None if there are none."""
        found = self.collection.find({"group": key}, sort=[("_id", -1)], limit=1, projection={"fields": 0})
        if not found:
            return None
        return next(iter(LineGroups(self.collection).groups({"_id": found[0]["_id"]})), None)

    def total(self) -> int:
        """About how many lines there are; it reads none of them."""
        with translated():
            return self.collection.raw.estimated_document_count()

    def delete_before(self, before: datetime) -> int:
        """Remove the lines from before then; how many there were."""
        self._volume.delete_before(before)
        self._groups.delete_before(before)
        return self.collection.delete({"_id": {"$lt": _first_id(before)}})

    def delete_of_runs(self, run_ids: Sequence[str]) -> int:
        """Remove the lines of those runs; how many there were."""
        filter_ = {"run_id": {"$in": [*run_ids]}}
        found = self.collection.find(filter_, projection={"ts": 1, "source": 1, "level": 1, "group": 1})
        gone = Counter((minute_of(each["ts"]), each["source"], each["level"]) for each in found)
        self._volume.change({line: -number for line, number in gone.items()})
        self._groups.take(Counter((hour_of(each["ts"]), each["group"]) for each in found if each.get("group")))
        return self.collection.delete(filter_)

    def delete_beyond(self, lines: int) -> int:
        """Keep only the newest ``lines`` lines; how many were removed."""
        newest_gone = self.collection.find({}, sort=[("_id", -1)], skip=lines, limit=1, projection={"ts": 1})
        if not newest_gone:
            return 0
        self._volume.delete_before(newest_gone[0]["ts"])
        self._groups.delete_before(newest_gone[0]["ts"])
        return self.collection.delete({"_id": {"$lte": newest_gone[0]["_id"]}})

    def keep_days(self, days: float) -> None:
        """Have MongoDB remove lines of that age by itself."""
        for name in (LogEntry.collection, MINUTES, HOURS, GROUPS):
            index = {"name": TTL_INDEX, "expireAfterSeconds": round(days * 86400)}
            try:
                self._database.command({"collMod": name, "index": index})
            except (NotImplementedError, TypeError, OperationFailure):  # mongomock; a user who may not
                self.delete_before(datetime.now(UTC) - timedelta(days=days))
            except PyMongoError as error:
                raise fault(error) from None


def _stored(entry: LogEntry) -> Document:
    plain: Document = storable(entry.model_dump(exclude={"id"}, exclude_none=True))
    if (key := group_of(entry.level, entry.source, entry.message)) is not None:
        plain["group"] = key
    return {"_id": log_id(entry.ts), **plain}


def _is_plain(filters: dict[str, Any]) -> bool:
    return all(name == "source" for name, value in filters.items() if value)


def _within_time(since: datetime | None, until: datetime | None) -> dict[str, Any]:
    bounds = _time_bounds(since, until)
    return {"_id": bounds} if bounds else {}


def _time_bounds(since: datetime | None, until: datetime | None) -> dict[str, str]:
    bounds = {"$gte": since, "$lt": until}
    return {operator: _first_id(at) for operator, at in bounds.items() if at is not None}


def _with_defaults(filters: dict[str, Any]) -> dict[str, Any]:
    names = ("source", "run_id", "step_id", "pipeline_id", "q")
    return {name: filters.get(name) for name in names} | {"regex": bool(filters.get("regex"))}


def _filter(
    level: str | None,
    exact_level: bool,
    source: str | None,
    run_id: str | None,
    step_id: str | None,
    pipeline_id: str | None,
    q: str | None,
    regex: bool,
) -> dict[str, Any]:
    levels = None if level is None else [level] if exact_level else list(LEVELS[LEVELS.index(_known(level)) :])
    if levels is not None and len(levels) == len(LEVELS):
        levels = None
    filter_ = matching(level=levels, source=source, run_id=run_id, step_id=step_id, pipeline_id=pipeline_id)
    if q:
        filter_["message"] = {"$regex": _pattern(q) if regex else literal(q), "$options": "i"}
    return filter_


def _known(level: str) -> str:
    if level not in LEVELS:
        raise InvalidInput(f"{level!r} is not a level. Known: {', '.join(LEVELS)}.", field="level")
    return level


def _pattern(text: str) -> str:
    literal(text)
    try:
        re.compile(text)
    except re.error as error:
        raise InvalidInput(f"The pattern {text!r} cannot be used: {error}.", field="q") from None
    return text
