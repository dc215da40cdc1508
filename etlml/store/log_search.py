"""Lines that fit, newest first, looked for as long as the patience allows."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from etlml.documents import LogEntry
from etlml.store.log_filter import end_of, first_id
from etlml.store.log_walk import Walk
from etlml.store.paging import Page

FIRST_PIECE = timedelta(hours=6)
Stretches = Sequence[tuple[datetime, datetime]]


def search(
    read: Callable[[datetime, datetime, int, int], Page[LogEntry]],
    stretches: Stretches,
    *,
    cursor: str | None,
    limit: int,
    patience_s: float,
) -> Page[LogEntry]:
    """A page of lines; if the patience runs out, a short or empty one with a cursor to go on from.

    Args:
        read: The lines from a time up to another, at most so many, within so many milliseconds.
        stretches: Where to look, the newest first.
    """
    found: list[LogEntry] = []
    ends, end = time.monotonic() + patience_s, end_of(cursor) if cursor else None

    def rest(since: datetime, until: datetime, max_ms: int) -> Page[LogEntry]:
        return read(since, until, limit - len(found), max_ms)

    for begin, stop in stretches:
        stop = min(stop, end) if end else stop
        if stop <= begin:
            continue
        left_s = ends - time.monotonic()
        if left_s < 0:
            return Page(found, first_id(stop))
        walk = Walk(begin, stop, left_s, width=FIRST_PIECE)
        for part in walk.each(rest):
            found += part.items
            if part.next_cursor:
                return Page(found, part.next_cursor)
        if walk.reached > begin:
            return Page(found, first_id(walk.reached))
    return Page(found)
