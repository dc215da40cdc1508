"""Equal problems: warnings and errors whose messages differ only in numbers, ids, paths and quoted parts, counted by the hour."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from pymongo.database import Database

from etlml.store.collection import RELAXED, Collection
from etlml.store.encoding import Document
from etlml.store.paging import QUERY_MS, matching, within

NAME = "log_groups"
HOUR = timedelta(hours=1)
GROUPED = ("WARNING", "ERROR", "CRITICAL")
_LONGEST = 1000
_PATTERN_LENGTH = 240
_QUOTED = r"'(?:[^'\\\n]|\\.){0,400}'|\"(?:[^\"\\\n]|\\.){0,400}\"|`[^`\n]{0,400}`"
_PARTS = re.compile(
    rf"(?P<quoted>{_QUOTED})"
    r"|(?P<url>\b[a-z][a-z0-9+.-]{1,15}://\S+)"
    r"|(?P<path>(?<![\w.])(?:[A-Za-z]:\\|\.{0,2}/)[^\s:,;()'\"]+)"
    r"|(?P<id>\b(?=[0-9a-fA-F-]*\d)[0-9a-fA-F]{8}(?:[0-9a-fA-F-]*[0-9a-fA-F])?\b)"
    r"|(?P<number>(?<![\w.-])[-+]?\d+(?:[,.:]\d+)*(?:[eE][-+]?\d+)?|\d+)"
)
_SIGNS = {"quoted": "'…'", "url": "‹url›", "path": "‹path›", "id": "‹id›", "number": "#"}


class LogGroup(NamedTuple):
    """Lines that say the same.

    Attributes:
        key: Their fingerprint; the ``group`` of each of the lines.
        text: What they have in common.
        pattern: A regular expression that finds the lines where they were stored before lines had fingerprints, else empty.
    """

    key: str
    text: str
    level: str
    source: str
    lines: int
    first: datetime
    last: datetime
    example: str
    pattern: str = ""


def common_text(message: str) -> str:
    """The first line of a message without what differs from time to time.

    >>> common_text("Read 'in/a.csv' in 0.3 s: 12 rows")
    "Read '…' in # s: # rows"
    """
    line = message.strip().partition("\n")[0][:_LONGEST]
    return _PARTS.sub(lambda found: _SIGNS[str(found.lastgroup)], line)[:_PATTERN_LENGTH]


def group_of(level: str, source: str, message: str) -> str | None:
    """The fingerprint of a line; None below WARNING."""
    return _key(level, source, common_text(message)) if level in GROUPED else None


@lru_cache(maxsize=2048)
def _key(level: str, source: str, text: str) -> str:
    return hashlib.sha256(f"{level}\n{source}\n{text}".encode()).hexdigest()[:16]


def pattern_of(text: str) -> str:
    """A regular expression for the messages whose common text that is."""
    signs = "|".join(re.escape(sign) for sign in _SIGNS.values())
    return "^\\s*" + ".*".join(re.escape(part) for part in re.split(signs, text))


class LogGroups:
    """Counts of equal problems, a document an hour and group. They may differ from the lines by what a crash cut off."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database[NAME], write_concern=RELAXED)

    def add(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Count lines that were stored; those without a group are passed over."""
        found: dict[str, dict[str, Any]] = {}
        for line in documents:
            if key := line.get("group"):
                at = hour_of(line["ts"])
                counted = found.setdefault(
                    _id(at, key), {"at": at, "group": key, "line": line, "lines": 0, "first": line["ts"]}
                )
                counted["lines"] += 1
                counted["first"] = min(counted["first"], line["ts"])
                if line["ts"] >= counted["line"]["ts"]:
                    counted["line"] = line
        self.collection.upsert_each({name: _change(counted) for name, counted in found.items()})

    def take(self, lines: Mapping[tuple[datetime, str], int]) -> None:
        """Take from the counts what was removed, by hour and group."""
        for (at, key), number in lines.items():
            self.collection.update({"_id": _id(at, key)}, {"$inc": {"lines": -number}})

    def first_hour(self) -> datetime | None:
        """The first hour that was counted; lines from before it are not in here."""
        found = self.collection.find({}, sort=[("at", 1)], limit=1, projection={"at": 1})
        return found[0]["at"] if found else None

    def between(
        self, since: datetime | None, until: datetime | None, *, levels: Sequence[str], source: str | None
    ) -> list[LogGroup]:
        """The groups of whole hours: from that hour on, up to the hour ``until`` (not included)."""
        filter_ = within("at", since, until) | matching(level=levels, source=source)
        first = {name: {"$first": f"${name}"} for name in ("text", "level", "source", "example")}
        sums = {"lines": {"$sum": "$lines"}, "from": {"$min": "$first"}, "last": {"$max": "$last"}}
        groups = self.collection.aggregate(
            [{"$match": filter_}, {"$sort": {"at": -1}}, {"$group": {"_id": "$group", **first, **sums}}],
            max_ms=QUERY_MS,
        )
        return [
            LogGroup(
                each["_id"],
                each["text"],
                each["level"],
                each["source"],
                each["lines"],
                each["from"],
                each["last"],
                each["example"],
            )
            for each in groups
            if each["lines"] > 0
        ]

    def delete_before(self, before: datetime) -> None:
        """Forget the time before then, and the hour that it cuts: what is left of that is found in its lines."""
        self.collection.delete({"at": {"$lt": before}})


def _change(counted: Mapping[str, Any]) -> dict[str, Any]:
    line = counted["line"]
    return {
        "$inc": {"lines": counted["lines"]},
        "$min": {"first": counted["first"]},
        "$max": {"last": line["ts"]},
        "$set": {"example": line["message"][:_LONGEST]},
        "$setOnInsert": {
            "at": counted["at"],
            "group": counted["group"],
            "level": line["level"],
            "source": line["source"],
            "text": common_text(line["message"]),
        },
    }


def _id(at: datetime, key: str) -> str:
    return f"{int(at.timestamp()):010x}-{key}"


def hour_of(at: datetime) -> datetime:
    """The beginning of a time's hour."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def merged(parts: Iterable[LogGroup]) -> list[LogGroup]:
    """Each group once, what happened most first."""
    found: dict[str, LogGroup] = {}
    for each in parts:
        other = found.get(each.key)
        if other is None:
            found[each.key] = each
            continue
        newer = max(each, other, key=lambda group: group.last)
        found[each.key] = newer._replace(
            lines=each.lines + other.lines, first=min(each.first, other.first), pattern=each.pattern or other.pattern
        )
    return sorted(found.values(), key=lambda group: (-group.lines, group.key))
