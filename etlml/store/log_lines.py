"""Groups of equal problems, found by reading the lines: for what is not counted by the hour."""

from collections.abc import Mapping, Sequence
from typing import Any

from etlml.store.collection import Collection
from etlml.store.log_groups import LogGroup, common_text, group_of, merged, pattern_of
from etlml.store.paging import QUERY_MS

_MOST = 5000


class LineGroups:
    """Groups lines on the server: by their fingerprint, and by their message where they have none yet."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def groups(self, filter_: Mapping[str, Any]) -> Sequence[LogGroup]:
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
            max_ms=QUERY_MS,
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
