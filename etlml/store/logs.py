"""Log lines, in the order of time: stored, searched, counted, grouped and removed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Unpack, cast

from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from etlml.documents import LogEntry
from etlml.errors import TookTooLong
from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document, decoded, storable
from etlml.store.faults import fault
from etlml.store.log_figures import LineTally, LogFigures
from etlml.store.log_filter import LogFilter, end_of, first_id, is_narrow, lines_matching, log_id
from etlml.store.log_groups import NAME as GROUPS
from etlml.store.log_groups import LogGroup, LogGroups, group_of, hour_of
from etlml.store.log_lines import GroupsSoFar
from etlml.store.log_minutes import HOUR, HOURS, LEVELS, MINUTE, LogVolume, floor, minute_of
from etlml.store.log_minutes import NAME as MINUTES
from etlml.store.log_problems import LogProblems
from etlml.store.log_search import Stretches, search
from etlml.store.paging import MAX_LIMIT, QUERY_MS, Page, bounded

SEARCH_MS = 4000
TTL_INDEX = "expires"
DEFAULT_DAYS = 30


class LogStore:
    """All log lines. Thread-safe. A power cut may lose the last lines, for they are not waited for."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database[LogEntry.collection], write_concern=RELAXED)
        self._volume = LogVolume(database)
        self._groups = LogGroups(database)
        self._problems = LogProblems(self.collection, self._groups)
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
        self, *, cursor: str | None = None, limit: int = 100, newest_first: bool = True, **wanted: Unpack[LogFilter]
    ) -> Page[LogEntry]:
        """Lines in the order of time, newest first.

        Raises:
            InvalidInput: The level, the pattern or the cursor cannot be used, or the search took too long.
        """
        max_ms = SEARCH_MS if wanted.get("q") else QUERY_MS
        return self._lines(wanted, cursor=cursor, limit=bounded(limit), newest_first=newest_first, max_ms=max_ms)

    def _lines(
        self, wanted: LogFilter, *, cursor: str | None, limit: int, max_ms: int, newest_first: bool = True
    ) -> Page[LogEntry]:
        filter_ = lines_matching(wanted)
        if cursor is not None:
            end_of(cursor)
            bounds = filter_.setdefault("_id", {})
            if newest_first:
                bounds["$lt"] = min(cursor, bounds.get("$lt", cursor))
            else:
                bounds["$gt"] = cursor
        order = -1 if newest_first else 1
        found = self.collection.find(
            filter_, sort=[("_id", order)], limit=limit + 1, max_ms=max_ms, index=_index_for(filter_)
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
        within: Stretches | None = None,
        **filters: Any,
    ) -> Page[LogEntry]:
        """As ``query``, newest first, but it stops looking after a while: then there are few lines and a cursor to go on.

        Args:
            within: The stretches, newest first, outside of which nothing can fit.
        """

        def read(begin: datetime, end: datetime, most: int, max_ms: int) -> Page[LogEntry]:
            wanted = cast(LogFilter, {**filters, "since": begin, "until": end})
            return self._lines(wanted, cursor=cursor, limit=most, max_ms=max_ms)

        stretches = [(since, until)] if within is None else within
        stretches = [(max(since, begin), min(until, end)) for begin, end in stretches]
        return search(read, stretches, cursor=cursor, limit=bounded(limit), patience_s=patience_s)

    def each(self, **wanted: Unpack[LogFilter]) -> Iterator[LogEntry]:
        """All lines that fit, oldest first, read as they are asked for.

        Raises:
            InvalidInput: The level or the pattern cannot be used; at once, not at the first line.
        """
        filter_ = lines_matching(wanted)
        return (decoded(LogEntry, each) for each in self.collection.each(filter_, sort=[("_id", 1)]))

    def tail(self, *, after: str | None = None, limit: int = 200, **wanted: Unpack[LogFilter]) -> Sequence[LogEntry]:
        """The newest lines, oldest of them first; with ``after`` (a line's id) the lines that follow it."""
        if after is not None:
            return self.query(cursor=after, limit=limit, newest_first=False, **wanted).items
        return self.query(limit=limit, **wanted).items[::-1]

    def counts_by_level(self, **wanted: Unpack[LogFilter]) -> dict[str, int]:
        """How many lines that fit there are of each level, whatever level is wanted.

        Where only source and time count, it counts whole minutes, without reading lines.
        """
        found = dict.fromkeys(LEVELS, 0)
        if not is_narrow(wanted):
            return found | self._volume.totals(wanted.get("since"), wanted.get("until"), wanted.get("source"))
        groups = self.collection.aggregate(
            [
                {"$match": lines_matching({**wanted, "level": None})},
                {"$group": {"_id": "$level", "lines": {"$sum": 1}}},
            ],
            max_ms=QUERY_MS,
        )
        return found | {each["_id"]: each["lines"] for each in groups}

    def figures(
        self,
        since: datetime,
        until: datetime,
        *,
        buckets: int = 60,
        patience_s: float = 0.25,
        so_far: LogFigures | None = None,
        **filters: Any,
    ) -> LogFigures:
        """Lines by time and level, whatever level is wanted; if they must be read, those that the patience allows.

        Buckets of a minute or more, without other filters than the source, begin at whole minutes; lines are not read.

        Args:
            so_far: What the same question gave before: it is gone on with, up to the new ``until``.

        Raises:
            InvalidInput: The pattern cannot be used.
        """
        width = max((until - since) / buckets, timedelta(milliseconds=1))
        if width < MINUTE or is_narrow(filters) or (so_far is not None and so_far.settled_until is not None):
            tally = LineTally(self.collection)
            return tally.advanced(so_far or tally.begun(since, until, width), until, patience_s, filters)
        source, unit = filters.get("source"), HOUR if width >= HOUR else MINUTE
        first, width = floor(since, unit), unit * -(-width // unit)
        return LogFigures(
            first,
            until,
            width,
            reached=first,
            settled=self._volume.volume(first, until, width, source),
            totals=self._volume.totals(since, until, source),
        )

    def histogram(
        self, since: datetime, until: datetime, *, buckets: int = 60, **filters: Any
    ) -> Sequence[dict[str, Any]]:
        """The buckets of ``figures``: [{"at", "level", "lines"}], empty ones left out, and all lines counted."""
        found = self.figures(since, until, buckets=buckets, patience_s=QUERY_MS / 1000, **filters)
        if not found.is_complete:
            raise TookTooLong("The lines took too long to count. Narrow the time range or the text filter.")
        return [
            {"at": found.since + found.width * number, "level": level, "lines": lines}
            for (number, level), lines in found.buckets.items()
        ]

    def sources(self) -> Sequence[str]:
        """The sources that have lines, sorted."""
        with self.collection.asked():
            return sorted(str(source) for source in self.collection.raw.distinct("source"))

    def groups(self, *, limit: int = 100, **wanted: Unpack[LogFilter]) -> Sequence[LogGroup]:
        """Warnings and errors that say the same but for numbers, ids, paths and quoted parts; the most frequent first.

        Where only time, level and source count, whole hours are counted, without reading lines.

        Raises:
            InvalidInput: The level or the pattern cannot be used, or it took too long.
        """
        return self._problems.groups(wanted)[:limit]

    def groups_so_far(
        self,
        since: datetime,
        until: datetime,
        *,
        patience_s: float = 0.25,
        so_far: GroupsSoFar | None = None,
        **wanted: Any,
    ) -> GroupsSoFar:
        """As ``groups``; if lines must be read, those that the patience allows, the newest first.

        Raises:
            InvalidInput: The level or the pattern cannot be used.
        """
        if not is_narrow(wanted):
            return GroupsSoFar(self.groups(limit=MAX_LIMIT, since=since, until=until, **wanted), since, since)
        begun = so_far or GroupsSoFar([], since, until)
        return self._problems.advanced(begun, cast(LogFilter, wanted), patience_s)

    def group(self, key: str) -> LogGroup | None:
        """What the lines of a group have in common; None if there are none."""
        return self._problems.group(key)

    def total(self) -> int:
        """About how many lines there are; it reads none of them."""
        with self.collection.asked():
            return self.collection.raw.estimated_document_count()

    def delete_before(self, before: datetime) -> int:
        """Remove the lines from before then; how many there were."""
        self._volume.delete_before(before)
        self._groups.delete_before(before)
        return self.collection.delete({"_id": {"$lt": first_id(before)}})

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


def _index_for(filter_: Mapping[str, Any]) -> str | None:
    """A text among nearly all levels is found sooner in the order of the ids than by merging levels."""
    levels = filter_.get("level", {}).get("$in", ())
    return "_id_" if len(levels) == len(LEVELS) - 1 and filter_.keys() == {"level", "message", "_id"} else None
