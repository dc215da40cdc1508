"""How many lines fit, by level and over time: from counters where these know, else counted by reading, a stretch at a time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from etlml.store.collection import Collection
from etlml.store.log_filter import LogFilter, levels_from, lines_matching
from etlml.store.log_minutes import LEVELS
from etlml.store.log_walk import FIRST, Walk

SETTLED_AFTER = timedelta(seconds=5)  # lines come a little later than their time says
_MILLISECOND = timedelta(milliseconds=1)
Volume = Mapping[tuple[int, str], int]
"""Lines by the number of a bucket and by level."""


@dataclass(frozen=True)
class LogFigures:
    """Lines by level and time.

    Attributes:
        since: Where the first bucket begins.
        width: How long a bucket is.
        reached: Lines from here on are counted; ``since`` once all are.
        spent_s: How long the reading has taken up to now.
        settled: The counts up to ``settled_until``, of which the ``recent`` ones are kept apart: these may still grow.
        totals: The lines of each level, where they are known more exactly than by bucket.
    """

    since: datetime
    until: datetime
    width: timedelta
    reached: datetime
    spent_s: float = 0.0
    settled: Volume = field(default_factory=dict)
    settled_until: datetime | None = None
    recent: Volume = field(default_factory=dict)
    totals: Mapping[str, int] | None = None
    piece: timedelta = FIRST

    @property
    def is_complete(self) -> bool:
        """Whether all lines are counted."""
        return self.reached <= self.since

    @property
    def buckets(self) -> Volume:
        """Lines by bucket and level; empty ones are left out."""
        return {key: n for key, n in sorted((Counter(self.settled) + Counter(self.recent)).items()) if n > 0}

    @property
    def levels(self) -> dict[str, int]:
        """Lines by level."""
        if self.totals is not None:
            return {level: self.totals.get(level, 0) for level in LEVELS}
        found = dict.fromkeys(LEVELS, 0)
        for (_, level), lines in self.buckets.items():
            found[level] = found.get(level, 0) + lines
        return found

    def at_least(self, level: str | None) -> dict[str, int]:
        """Lines by level, of this level and above.

        Raises:
            InvalidInput: There is no such level.
        """
        shown = levels_from(level or LEVELS[0])
        return {name: lines for name, lines in self.levels.items() if name in shown}

    def table(self, level: str | None = None) -> dict[datetime, dict[str, int]]:
        """Lines of that level and above, by the beginning of a bucket and by level; empty buckets are left out."""
        shown, found = levels_from(level or LEVELS[0]), dict[datetime, dict[str, int]]()
        for (number, name), lines in self.buckets.items():
            if name in shown:
                found.setdefault(self.since + self.width * number, {})[name] = lines
        return found

    def stretches(self, level: str | None, until: datetime) -> list[tuple[datetime, datetime]]:
        """Where lines of that level and above are, the newest first; what is not settled counts as if there were some."""
        edge = self.settled_until or self.until
        found = [(edge, until)] if until > edge else []
        for at in reversed(self.table(level)):
            end = min(at + self.width, edge)
            if found and found[-1][0] <= end:
                found[-1] = (max(at, self.since), found[-1][1])
            elif end > at:
                found.append((at, end))
        return found


class LineTally:
    """Counts lines by reading them."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def begun(self, since: datetime, until: datetime, width: timedelta) -> LogFigures:
        """Nothing is counted yet."""
        settled = max(since, until - SETTLED_AFTER)
        return LogFigures(since, settled, width, reached=settled, settled_until=settled)

    def advanced(
        self, figures: LogFigures, until: datetime, patience_s: float, filters: Mapping[str, Any]
    ) -> LogFigures:
        """What has come since, and as many of the older lines as the patience allows.

        Raises:
            InvalidInput: The pattern cannot be used.
        """
        new = Walk(figures.settled_until or figures.until, until, patience_s)
        settled, recent = Counter(figures.settled), Counter[tuple[int, str]]()
        edge = max(new.since, until - SETTLED_AFTER)
        if until > edge:
            for part in Walk(edge, until, new.left_s).each(self._reader(figures, filters)):
                recent.update(part)
        if edge > new.since:
            for part in (forward := Walk(new.since, edge, 10 * patience_s)).each(self._reader(figures, filters)):
                settled.update(part)
            if forward.reached > new.since:  # a flood: what was counted up to now is too old to go on from
                return self.advanced(self.begun(figures.since, until, figures.width), until, patience_s, filters)
        old = Walk(figures.since, figures.reached, new.left_s, width=figures.piece)
        for part in old.each(self._reader(figures, filters)):
            settled.update(part)
        return replace(
            figures,
            until=until,
            settled=settled,
            settled_until=edge,
            recent=recent,
            reached=old.reached,
            piece=old.width,
            spent_s=figures.spent_s + patience_s - new.left_s,
        )

    def _reader(self, figures: LogFigures, filters: Mapping[str, Any]) -> Any:
        number = {"$floor": {"$divide": [{"$subtract": ["$ts", figures.since]}, figures.width / _MILLISECOND]}}
        group = {"_id": {"bucket": number, "level": "$level"}, "lines": {"$sum": 1}}

        def read(since: datetime, until: datetime, max_ms: int) -> Counter[tuple[int, str]]:
            wanted = cast(LogFilter, {**filters, "since": since, "until": until, "level": None})
            found = self._collection.aggregate([{"$match": lines_matching(wanted)}, {"$group": group}], max_ms=max_ms)
            return Counter({(int(each["_id"]["bucket"]), each["_id"]["level"]): each["lines"] for each in found})

        return read
