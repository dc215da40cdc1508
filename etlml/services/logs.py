"""Log lines of everything, filtered and counted by the database."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any, Literal, Unpack

from etlml.documents import LogEntry
from etlml.store import Page, Store
from etlml.store.log_figures import LogFigures
from etlml.store.log_filter import LogFilter
from etlml.store.log_groups import LogGroup
from etlml.store.log_lines import GroupsSoFar
from etlml.store.log_search import Stretches
from etlml.store.paging import bounded

__all__ = ["ExportForm", "GroupsSoFar", "LogFigures", "LogFilter", "LogGroup", "LogService", "line_text"]

ExportForm = Literal["text", "jsonl"]
_PIECE = 500
_GZIP = 16 + zlib.MAX_WBITS


class LogService:
    """Read the logs; nobody changes them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def query(
        self, *, limit: int = 100, cursor: str | None = None, newest_first: bool = True, **wanted: Unpack[LogFilter]
    ) -> Page[LogEntry]:
        """Lines that fit, newest first."""
        return self._store.logs.query(limit=limit, cursor=cursor, newest_first=newest_first, **wanted)

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
        """As ``query``, but it stops looking after a quarter of a second: then there are few lines, and a cursor to go on.

        Args:
            within: Stretches of time, newest first, outside of which nothing can fit.
        """
        return self._store.logs.search(
            since=since, until=until, cursor=cursor, limit=limit, patience_s=patience_s, within=within, **filters
        )

    def tail(self, *, after: str | None = None, limit: int = 200, **wanted: Unpack[LogFilter]) -> Sequence[LogEntry]:
        """The newest lines, oldest of them first; with ``after`` (a line's id) the lines after it."""
        return self._store.logs.tail(after=after, limit=limit, **wanted)

    def counts(self, **wanted: Unpack[LogFilter]) -> dict[str, int]:
        """How many lines that fit each level has, whatever level is wanted."""
        return self._store.logs.counts_by_level(**wanted)

    def volume(
        self,
        since: datetime,
        until: datetime,
        *,
        buckets: int = 60,
        patience_s: float = 2.0,
        so_far: LogFigures | None = None,
        **filters: Any,
    ) -> LogFigures:
        """How many lines fit, by level and time, whatever level is wanted.

        Counters answer where only source and time matter. Else lines are counted, the newest first, for as long as the
        patience lasts; given ``so_far``, what the same question gave before, it goes on from there.
        """
        return self._store.logs.figures(since, until, buckets=buckets, patience_s=patience_s, so_far=so_far, **filters)

    def groups(self, *, limit: int = 100, **wanted: Unpack[LogFilter]) -> Sequence[LogGroup]:
        """Warnings and errors that say the same but for numbers, ids, paths and quoted parts; the most frequent first."""
        return self._store.logs.groups(limit=bounded(limit), **wanted)

    def groups_so_far(
        self,
        since: datetime,
        until: datetime,
        *,
        patience_s: float = 0.25,
        so_far: GroupsSoFar | None = None,
        **wanted: Any,
    ) -> GroupsSoFar:
        """As ``groups``, of the newest lines at first; given ``so_far``, what it gave before, it goes on from there."""
        return self._store.logs.groups_so_far(since, until, patience_s=patience_s, so_far=so_far, **wanted)

    def group(self, key: str) -> LogGroup | None:
        """What the lines of a group have in common; None if there are none."""
        return self._store.logs.group(key)

    def export(
        self, *, form: ExportForm = "text", packed: bool = False, **wanted: Unpack[LogFilter]
    ) -> Iterator[bytes]:
        """All lines that fit, oldest first, in pieces of a file, however many there are.

        Args:
            form: ``text``, a line each with tracebacks below; or ``jsonl``, a JSON document a line.
            packed: Compress it with gzip.

        Raises:
            InvalidInput: A filter cannot be used; at once, not at the first piece.
        """
        lines = self._store.logs.each(**wanted)
        first = list(islice(lines, 1))  # now: once a file has begun, nobody can be told what is wrong
        every = chain(first, lines)
        worded = (f"{entry.model_dump_json()}\n" if form == "jsonl" else line_text(entry) for entry in every)
        return _packed(_pieces(worded)) if packed else _pieces(worded)

    def sources(self) -> Sequence[str]:
        """The sources that have lines."""
        return self._store.logs.sources()


def line_text(entry: LogEntry) -> str:
    """A line for a file, its time in UTC; a traceback follows on lines of its own."""
    where = f"{entry.source} {entry.step_id or '-'}"
    traceback = str(entry.fields.get("traceback") or "")
    line = f"{entry.ts:%Y-%m-%dT%H:%M:%S.%f}Z {entry.level:8} {where} {entry.message}\n"
    return line + (traceback.rstrip("\n") + "\n" if traceback else "")


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    while some := list(islice(lines, _PIECE)):
        yield "".join(some).encode()


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
