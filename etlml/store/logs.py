"""Log lines, in the order of time: a line's id starts with its time, so one index serves each filter and the order."""

import itertools
import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from etlml.documents import LogEntry
from etlml.errors import InvalidInput
from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document, decoded, storable
from etlml.store.faults import translated
from etlml.store.paging import QUERY_MS, Page, bounded, matching

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SEARCH_MS = 4000
TTL_INDEX = "expires"
DEFAULT_DAYS = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_counter = itertools.count(int.from_bytes(os.urandom(3)))


def log_id(at: datetime) -> str:
    """A fresh id that sorts by time and, within a millisecond, in the order in which this process asked for it."""
    return f"{_first_id(at)}{next(_counter) & 0xFFFFFFFFFF:010x}"


def _first_id(at: datetime) -> str:
    return f"{max(0, (at - _EPOCH) // timedelta(milliseconds=1)):012x}"  # cut, not rounded, as MongoDB keeps times


class LogStore:
    """All log lines. Thread-safe. A power cut may lose the last lines, for they are not waited for."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database[LogEntry.collection], write_concern=RELAXED)
        self._database = database

    def add_many(self, entries: Iterable[LogEntry]) -> int:
        """Store lines in one round trip, in their order; they get ids by their times. How many there were."""
        documents = [_stored(entry) for entry in entries]
        self.collection.insert_many(documents)
        return len(documents)

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
    ) -> Page[LogEntry]:
        """Lines in the order of time, newest first.

        Args:
            level: This level and above; only this one with ``exact_level``.
            q: Text that the message contains, upper or lower case; a pattern if ``regex``.
            since: From this time on (included).
            until: Up to this time (not included).

        Raises:
            InvalidInput: The pattern or the cursor cannot be used, or the search took too long.
        """
        limit, filter_ = bounded(limit), _filter(level, exact_level, source, run_id, step_id, pipeline_id, q, regex)
        bounds = _time_bounds(since, until)
        if cursor is not None:
            if re.fullmatch(r"[0-9a-f]{12,32}", cursor) is None:
                raise InvalidInput(
                    f"{cursor[:40]!r} is not a cursor. Use next_cursor of the page before.", field="cursor"
                )
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

    def tail(self, *, after: str | None = None, limit: int = 200, **filters: Any) -> Sequence[LogEntry]:
        """The newest lines, oldest of them first; with ``after`` (a line's id) the lines that follow it."""
        if after is not None:
            return self.query(cursor=after, limit=limit, newest_first=False, **filters).items
        return self.query(limit=limit, **filters).items[::-1]

    def counts_by_level(self, **filters: Any) -> dict[str, int]:
        """How many lines there are of each level, by the filters of ``query`` (but ``level``)."""
        bounds = _time_bounds(filters.pop("since", None), filters.pop("until", None))
        found: dict[str, int] = {}
        for level in LEVELS:
            filter_ = _filter(level, True, **_with_defaults(filters)) | ({"_id": bounds} if bounds else {})
            found[level] = self.collection.count(filter_)
        return found

    def histogram(
        self, since: datetime, until: datetime, *, buckets: int = 60, **filters: Any
    ) -> Sequence[dict[str, Any]]:
        """Lines by time and level: [{"at", "level", "lines"}], empty buckets left out."""
        width_ms = max(1.0, (until - since).total_seconds() * 1000 / buckets)
        filter_ = _filter(None, False, **_with_defaults(filters)) | {"_id": _time_bounds(since, until)}
        offset = {"$subtract": ["$ts", since]}
        bucket = {"$floor": {"$divide": [offset, width_ms]}}
        groups = self.collection.aggregate(
            [
                {"$match": filter_},
                {"$group": {"_id": {"bucket": bucket, "level": "$level"}, "lines": {"$sum": 1}}},
                {"$sort": {"_id.bucket": 1, "_id.level": 1}},
            ],
            max_ms=QUERY_MS,
        )
        start = since.timestamp()
        return [
            {
                "at": datetime.fromtimestamp(start + each["_id"]["bucket"] * width_ms / 1000, UTC),
                "level": each["_id"]["level"],
                "lines": each["lines"],
            }
            for each in groups
        ]

    def sources(self) -> Sequence[str]:
        """The sources that have lines, sorted."""
        groups = self.collection.aggregate([{"$sort": {"source": 1}}, {"$group": {"_id": "$source"}}], max_ms=QUERY_MS)
        return sorted(each["_id"] for each in groups)

    def total(self) -> int:
        """How many lines there are, by the collection's own count."""
        return int(self.collection.raw.estimated_document_count())

    def total(self) -> int:
        """About how many lines there are; it reads none of them."""
        with translated():
            return self.collection.raw.estimated_document_count()

    def delete_before(self, before: datetime) -> int:
        """Remove the lines from before then; how many there were."""
        return self.collection.delete({"_id": {"$lt": _first_id(before)}})

    def delete_of_runs(self, run_ids: Sequence[str]) -> int:
        """Remove the lines of those runs; how many there were."""
        return self.collection.delete({"run_id": {"$in": list(run_ids)}})

    def delete_beyond(self, lines: int) -> int:
        """Keep only the newest ``lines`` lines; how many were removed."""
        newest_gone = self.collection.raw.find({}, {"_id": 1}).sort("_id", -1).skip(lines).limit(1)
        gone = [each["_id"] for each in newest_gone]
        return self.collection.delete({"_id": {"$lte": gone[0]}}) if gone else 0

    def keep_days(self, days: float) -> None:
        """Have MongoDB remove lines of that age by itself."""
        index = {"name": TTL_INDEX, "expireAfterSeconds": round(days * 86400)}
        try:
            self._database.command({"collMod": LogEntry.collection, "index": index})
        except (NotImplementedError, TypeError, PyMongoError):
            self.delete_before(datetime.now(UTC) - timedelta(days=days))


def _stored(entry: LogEntry) -> Document:
    plain: Document = storable(entry.model_dump(exclude={"id"}, exclude_none=True))
    return {"_id": log_id(entry.ts), **plain}


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
    if level is not None and level not in LEVELS:
        raise InvalidInput(f"{level!r} is not a level. Known: {', '.join(LEVELS)}.", field="level")
    levels = None if level is None else [level] if exact_level else list(LEVELS[LEVELS.index(level) :])
    if levels is not None and len(levels) == len(LEVELS):
        levels = None
    filter_ = matching(level=levels, source=source, run_id=run_id, step_id=step_id, pipeline_id=pipeline_id)
    if q:
        filter_["message"] = {"$regex": _pattern(q) if regex else re.escape(q), "$options": "i"}
    return filter_


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise InvalidInput(f"The pattern {text!r} cannot be used: {error}.", field="q") from None
    return text
