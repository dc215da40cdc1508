"""Log lines of everything, filtered and counted by the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from etlml.documents import LogEntry, LogLevel
from etlml.store import Page, Store


class LogService:
    """Read the logs; nobody changes them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def query(
        self,
        *,
        level: LogLevel | None = None,
        source: str | None = None,
        run_id: str | None = None,
        step_id: str | None = None,
        pipeline_id: str | None = None,
        q: str | None = None,
        regex: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        cursor: str | None = None,
        newest_first: bool = True,
    ) -> Page[LogEntry]:
        """Lines of ``level`` and above, newest first; ``q`` is text in the message, or a pattern with ``regex``."""
        return self._store.logs.query(
            level=level,
            source=source,
            run_id=run_id,
            step_id=step_id,
            pipeline_id=pipeline_id,
            q=q,
            regex=regex,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
            newest_first=newest_first,
        )

    def tail(self, *, after: str | None = None, limit: int = 200, **filters: Any) -> Sequence[LogEntry]:
        """The newest lines, oldest of them first; with ``after`` (a line's id) the lines after it. Filters as in ``query``."""
        return self._store.logs.tail(after=after, limit=limit, **filters)

    def counts(self, **filters: Any) -> dict[str, int]:
        """How many lines each level has, by the filters of ``query`` but ``level``."""
        return self._store.logs.counts_by_level(**filters)

    def histogram(
        self, since: datetime, until: datetime, *, buckets: int = 60, **filters: Any
    ) -> Sequence[dict[str, Any]]:
        """Lines by time and level: ``[{"at", "level", "lines"}]``, empty buckets left out."""
        return self._store.logs.histogram(since, until, buckets=buckets, **filters)

    def sources(self) -> Sequence[str]:
        """The sources that have lines."""
        return self._store.logs.sources()
