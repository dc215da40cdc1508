"""Log records on their way into MongoDB: in batches, from a thread of its own, never in the way of who logs."""

import logging
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime
from typing import Any

from etlml.documents import LogEntry, LogLevel
from etlml.errors import EtlmlError
from etlml.redaction import redacted, redacted_document
from etlml.sizes import plural
from etlml.store.logs import LogStore

CAPACITY = 20_000  # lines that wait in memory while MongoDB is away; beyond that the oldest are dropped and counted
BATCH = 500
FLUSH_S = 0.25
_RETRY_S = 1.0
_KEPT_APART = ("run_id", "pipeline_id", "step_id", "source")
_LEVELS: tuple[tuple[int, LogLevel], ...] = (
    (logging.CRITICAL, "CRITICAL"),
    (logging.ERROR, "ERROR"),
    (logging.WARNING, "WARNING"),
    (logging.INFO, "INFO"),
)
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class MongoLogHandler(logging.Handler):
    """Stores log records. ``extra`` may name run_id, pipeline_id, step_id and source; what else it holds becomes ``fields``.

    Handling a record takes microseconds and never raises. The order of a process's lines is kept. ``close`` stores
    what is left.

    Args:
        store: Where the lines go.
        source: Which part of the platform this process is (worker, api, ui, app).
        level: Records below it are passed over.
        capacity: How many lines may wait.
    """

    def __init__(
        self, store: LogStore, *, source: str = "app", level: int = logging.INFO, capacity: int = CAPACITY
    ) -> None:
        super().__init__(level)
        self._store, self._source = store, source
        self._waiting: deque[LogEntry] = deque()
        self._capacity = capacity
        self._dropped = 0
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="etlml-logs", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record stored soon."""
        # What the driver logs while it stores lines must not become lines to store.
        if record.name.startswith("pymongo") or threading.get_ident() == self._thread.ident:
            return
        try:
            entry = log_entry(record, self._source)
        except Exception:  # noqa: BLE001 - a record that cannot be formatted is reported as logging does it
            self.handleError(record)
            return
        with self._guard:
            self._waiting.append(entry)
            if len(self._waiting) > self._capacity:
                self._waiting.popleft()
                self._dropped += 1
            if len(self._waiting) >= BATCH or record.levelno >= logging.ERROR:
                self._wake.set()

    def flush(self) -> None:
        """Store what waits, now, if MongoDB is there."""
        while self._write_batch():
            pass

    def close(self) -> None:
        """Store what is left and end the thread."""
        if not self._closing.is_set():
            self._closing.set()
            self._wake.set()
            self._thread.join(timeout=10)
            self.flush()
        super().close()

    def _write_on(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(FLUSH_S)
            self._wake.clear()
            while self._write_batch():
                pass

    def _write_batch(self) -> bool:
        """Store the oldest lines; whether it is worth to go on."""
        with self._writing:
            with self._guard:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                dropped, self._dropped = self._dropped, 0
            if dropped:
                batch.insert(0, _note_of_dropped(dropped, batch, self._source))
            if not batch:
                return False
            try:
                self._store.add_many(batch)
            except EtlmlError:
                self._keep(batch[1:] if dropped else batch, dropped)
                self._closing.wait(_RETRY_S)
                return False
            return True

    def _keep(self, batch: list[LogEntry], dropped: int) -> None:
        with self._guard:
            self._waiting.extendleft(reversed(batch))
            over = max(0, len(self._waiting) - self._capacity)
            for _ in range(over):
                self._waiting.popleft()
            self._dropped += dropped + over


def log_entry(record: logging.LogRecord, source: str) -> LogEntry:
    """A record as a line, without secrets."""
    extra: dict[str, Any] = {name: value for name, value in vars(record).items() if name not in _PLAIN}
    places = {name: str(extra[name]) for name in _KEPT_APART if extra.get(name) is not None}
    fields = {name: value for name, value in extra.items() if name not in _KEPT_APART}
    if record.exc_info and record.exc_info[0] is not None:
        fields["error"] = record.exc_info[0].__name__
        fields["traceback"] = "".join(traceback.format_exception(*record.exc_info))
    return LogEntry(
        ts=datetime.fromtimestamp(record.created, UTC),
        level=next((name for number, name in _LEVELS if record.levelno >= number), "DEBUG"),
        logger=record.name,
        message=redacted(record.getMessage()),
        fields=redacted_document(fields),
        **{"source": source, **places},
    )


def _note_of_dropped(dropped: int, batch: list[LogEntry], source: str) -> LogEntry:
    at = batch[0].ts if batch else datetime.fromtimestamp(time.time(), UTC)
    message = f"Dropped {plural(dropped, 'log line')} from before this one, for MongoDB was away for too long."
    return LogEntry(
        ts=at, level="WARNING", source=source, logger=__name__, message=message, fields={"dropped": dropped}
    )
