"""Where the log lines of a process go: to its terminal (text for people, or one JSON document a line) and into MongoDB."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Literal

from etlml.redaction import redacted

if TYPE_CHECKING:
    from etlml.store.client import Store

QUIET = ("apscheduler", "httpx", "httpcore", "pymongo", "urllib3", "uvicorn", "watchdog")
"""Packages whose lines below WARNING help nobody."""


class TextFormatter(logging.Formatter):
    """``2026-01-31 08:00:00 INFO    message``, in UTC."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line, its secrets masked."""
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON document a line, with the fields of the log documents."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source

    def format(self, record: logging.LogRecord) -> str:
        """The document, its secrets masked."""
        document = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "source": self._source,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if record.exc_info:
            document["traceback"] = redacted(self.formatException(record.exc_info))
        return json.dumps(document, ensure_ascii=False)


def log_to_terminal(
    source: str, *, format: Literal["text", "json"] = "text", stream: IO[str] | None = None
) -> logging.Handler:
    """Have this process's log lines written to standard error (or ``stream``) from now on, without secrets."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(source) if format == "json" else TextFormatter())
    _add(handler)
    return handler


@contextmanager
def log_to_store(store: "Store", source: str) -> Iterator[None]:
    """Have this process's log lines, those of its runs among them, stored for the time of the context."""
    from etlml.store.log_handler import MongoLogHandler

    handler = MongoLogHandler(store.logs, source=source)
    _add(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _add(handler: logging.Handler) -> None:
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))  # the engine may have made one quieter still
