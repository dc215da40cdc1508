"""Groups of equal problems, found by reading the lines: for what is not counted by the hour."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from etlml.store.collection import Collection
from etlml.store.log_filter import LogFilter, lines_matching
from etlml.store.log_groups import LogGroup, common_text, group_of, merged, pattern_of
from etlml.store.log_walk import FIRST, Walk
from etlml.store.paging import QUERY_MS

_MOST = 5000


class GroupsSoFar(NamedTuple):
    """The groups of the newest lines.

    Attributes:
        reached: Lines from here on are in them; ``since`` once all are.
    """

    groups: Sequence[LogGroup]
    since: datetime
    reached: datetime
    piece: timedelta = FIRST

    @property
    def is_complete(self) -> bool:
        """Whether all lines are in them."""
        return self.reached <= self.since


class LineGroups:
    """Groups lines on the server: by their fingerprint, and by their message where they have none yet."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def advanced(self, found: GroupsSoFar, wanted: LogFilter, levels: Sequence[str], patience_s: float) -> GroupsSoFar:
        """With as many older lines as the patience allows."""

        def read(since: datetime, until: datetime, max_ms: int) -> Sequence[LogGroup]:
            filter_ = lines_matching({**wanted, "since": since, "until": until, "level": None})
            return self.groups(filter_ | {"level": {"$in": [*levels]}}, max_ms=max_ms)

        walk, groups = Walk(found.since, found.reached, patience_s, width=found.piece), found.groups
        for part in walk.each(read):
            groups = merged([*groups, *part])
        return GroupsSoFar(groups, found.since, walk.reached, walk.width)

    def groups(self, filter_: Mapping[str, Any], *, max_ms: int = QUERY_MS) -> Sequence[LogGroup]:
        """The groups of the lines that match."""
        key = {"group": {"$ifNull": ["$group", "$message"]}, "level": "$level", "source": "$source"}
        figures = {
            "lines": {"$sum": 1},
            "from": {"$min": "$ts"},
            "last": {"$max": "$ts"},
            "example": {"$first": "$message"},
            "key": {"$first": "$group"},
        }
        found = self._collection.aggregate(
            [{"$match": filter_}, {"$group": {"_id": key, **figures}}, {"$sort": {"lines": -1}}, {"$limit": _MOST}],
            max_ms=max_ms,
        )
        return merged(_group(each) for each in found)


def _group(each: Mapping[str, Any]) -> LogGroup:
    level, source, text = each["_id"]["level"], each["_id"]["source"], common_text(each["example"])
    return LogGroup(
        each.get("key") or group_of(level, source, each["example"]) or "",
        text,
        level,
        source,
        each["lines"],
        each["from"],
        each["last"],
        each["example"],
        "" if each.get("key") else pattern_of(text),
    )
