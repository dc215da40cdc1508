"""Which queries of a page take their time: every command that the driver sends, with what the server read for it."""

import sys
from typing import Any, NamedTuple

from pymongo import monitoring

_QUERIES = {"find", "aggregate", "count", "distinct", "findAndModify", "update", "insert", "getMore"}
_TOLD = {"filter", "sort", "limit", "pipeline", "query", "projection"}
_SHOWN = 6


class Query(NamedTuple):
    """One command as it went to the server."""

    ms: float
    visit: str
    text: str


class Profile(monitoring.CommandListener):
    """Keeps the commands that a client sends, by time."""

    def __init__(self) -> None:
        self.visit = ""
        self._queries: list[Query] = []
        self._texts: dict[int, str] = {}

    def clear(self) -> None:
        """Forget what was kept."""
        self._queries.clear()
        self._texts.clear()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _QUERIES:
            self._texts[event.request_id] = _text(event.command_name, event.command)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        text = self._texts.pop(event.request_id, None)
        if text is not None:
            self._queries.append(Query(event.duration_micros / 1000, self.visit, text))

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._texts.pop(event.request_id, None)

    def report(self) -> None:
        """Print the slowest, and how many there were."""
        total = sum(query.ms for query in self._queries)
        print(f"  {len(self._queries)} queries, {total:.0f} ms in all; the slowest:", file=sys.stderr)
        for query in sorted(self._queries, reverse=True)[:_SHOWN]:
            print(f"    {query.ms:7.1f} ms  {query.visit}\n        {query.text[:400]}", file=sys.stderr)


def _text(name: str, command: Any) -> str:
    shown = {
        key: value
        for key, value in command.items()
        if key in ("filter", "sort", "limit", "pipeline", "query", "projection")
    }
    return f"{name} {command[name]} {shown}"
