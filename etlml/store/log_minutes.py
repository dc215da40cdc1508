"""How many lines each minute, source and level has: counted as lines are stored, so that a chart need not read them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document
from etlml.store.paging import QUERY_MS, matching, within

MINUTE = timedelta(minutes=1)
NAME = "log_minutes"
Lines = tuple[datetime, str, str]
"""Time, source and level of a line."""


class LogMinutes:
    """Counts of log lines. They may differ from the lines by what a crash cut off between the two writes."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database[NAME], write_concern=RELAXED)

    def add(self, lines: Iterable[Lines]) -> None:
        """Count lines that were stored."""
        self.change(Counter((minute_of(at), source, level) for at, source, level in lines))

    def change(self, lines: Mapping[Lines, int]) -> None:
        """Add to the counts, or take from them."""
        found: dict[tuple[datetime, str], dict[str, int]] = {}
        for (at, source, level), number in lines.items():
            found.setdefault((at, source), {})[f"levels.{level}"] = number
        for (at, source), levels in found.items():
            self._change(at, source, levels)

    def _change(self, at: datetime, source: str, levels: dict[str, int]) -> None:
        key = f"{int(at.timestamp()):010x}-{source}"
        change = {"$inc": levels, "$setOnInsert": {"at": at, "source": source}}
        try:
            self.collection.update({"_id": key}, change, upsert=True)
        except DuplicateKeyError:  # another process began the same minute at the same moment
            self.collection.update({"_id": key}, change)

    def counts(
        self, since: datetime | None, until: datetime | None, source: str | None = None
    ) -> Sequence[tuple[datetime, dict[str, int]]]:
        """Each minute's lines by level, the oldest minute first; the minutes at both ends count whole."""
        first = minute_of(since) if since is not None else None
        filter_ = within("at", first, until) | matching(source=source)
        found = self.collection.find(filter_, sort=[("at", 1)], max_ms=QUERY_MS)
        return [(each["at"], each["levels"]) for each in found]

    def sources(self) -> Sequence[str]:
        """The sources that have lines, sorted."""
        groups = self.collection.aggregate([{"$group": {"_id": "$source"}}], max_ms=QUERY_MS)
        return sorted(str(each["_id"]) for each in groups)

    def delete_before(self, before: datetime) -> None:
        """Forget the minutes before that one."""
        self.collection.delete({"at": {"$lt": minute_of(before)}})


def minute_of(at: datetime) -> datetime:
    """The beginning of a time's minute."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)
