import logging
import time
from collections.abc import Iterable, Iterator

import pytest

from etlml.documents import LogEntry
from etlml.errors import Unavailable
from etlml.redaction import register_secrets
from etlml.store import Store
from etlml.store.log_handler import MongoLogHandler
from etlml.store.logs import LogStore


class FlakyLogs:
    """Log lines in memory, of a MongoDB that can be away."""

    def __init__(self) -> None:
        self.away = False
        self.lines: list[LogEntry] = []

    def add_many(self, entries: Iterable[LogEntry]) -> int:
        if self.away:
            raise Unavailable("away")
        self.lines += (found := list(entries))
        return len(found)


@pytest.fixture
def logs() -> FlakyLogs:
    return FlakyLogs()


@pytest.fixture
def handler(logs: FlakyLogs, monkeypatch: pytest.MonkeyPatch) -> Iterator[MongoLogHandler]:
    monkeypatch.setattr("etlml.store.log_handler._RETRY_S", 0.01)
    handler = MongoLogHandler(logs, source="worker", level=logging.DEBUG, capacity=50)  # type: ignore[arg-type]
    yield handler
    handler.close()


@pytest.fixture
def logger(handler: MongoLogHandler) -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.mongo_log")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


class TestMongoLogHandler:
    def test_stores_a_record_with_its_place_and_fields(
        self, handler: MongoLogHandler, logger: logging.Logger, logs: FlakyLogs
    ) -> None:
        logger.warning("%d rows", 3, extra={"run_id": "r1", "step_id": "s", "pipeline_id": None, "rows": 3})
        handler.flush()
        (line,) = logs.lines
        assert (line.level, line.source, line.logger, line.message) == (
            "WARNING",
            "worker",
            "tests.mongo_log",
            "3 rows",
        )
        assert (line.run_id, line.step_id, line.pipeline_id, line.fields) == ("r1", "s", None, {"rows": 3})

    def test_stores_by_itself_within_a_second(self, logger: logging.Logger, logs: FlakyLogs) -> None:
        logger.info("hello")
        deadline = time.monotonic() + 1
        while not logs.lines and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [line.message for line in logs.lines] == ["hello"]

    def test_keeps_tracebacks_and_hides_secrets(
        self, handler: MongoLogHandler, logger: logging.Logger, logs: FlakyLogs
    ) -> None:
        register_secrets(["hunter22"])
        try:
            raise ValueError("bad hunter22")
        except ValueError:
            logger.exception("with %s and postgres://me:geheim@host/db", "hunter22", extra={"password": "geheim"})
        handler.flush()
        (line,) = logs.lines
        assert line.message == "with *** and postgres://me:***@host/db"
        assert line.fields["error"] == "ValueError"
        assert "ValueError: bad ***" in line.fields["traceback"]
        assert "geheim" not in str(line) + str(line.fields)

    def test_keeps_lines_while_mongodb_is_away(
        self, handler: MongoLogHandler, logger: logging.Logger, logs: FlakyLogs
    ) -> None:
        logs.away = True
        for number in range(10):
            logger.info("line %d", number)
        handler.flush()
        assert logs.lines == []
        logs.away = False
        handler.flush()
        assert [line.message for line in logs.lines] == [f"line {number}" for number in range(10)]

    def test_drops_the_oldest_with_a_counted_note(
        self, handler: MongoLogHandler, logger: logging.Logger, logs: FlakyLogs
    ) -> None:
        logs.away = True
        for number in range(80):
            logger.info("line %d", number)
        handler.flush()
        logs.away = False
        handler.flush()
        kept = [line.message for line in logs.lines if "fields" not in line.fields and line.logger == "tests.mongo_log"]
        dropped = sum(line.fields.get("dropped", 0) for line in logs.lines)
        assert kept[-1] == "line 79"
        assert len(kept) + dropped == 80
        assert dropped >= 20
        assert "Dropped " in logs.lines[0].message

    def test_never_raises_into_the_caller(
        self, handler: MongoLogHandler, logger: logging.Logger, logs: FlakyLogs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logging, "raiseExceptions", False)
        logger.info("%d", "not a number")
        logger.info("fine")
        handler.flush()
        assert [line.message for line in logs.lines] == ["fine"]

    def test_takes_microseconds(self, logger: logging.Logger) -> None:
        began = time.perf_counter()
        for _ in range(1000):
            logger.info("line")
        assert (time.perf_counter() - began) / 1000 < 0.002

    def test_close_stores_what_is_left(self, logs: FlakyLogs) -> None:
        handler = MongoLogHandler(logs, source="api")  # type: ignore[arg-type]
        handler.handle(logging.makeLogRecord({"name": "x", "msg": "last words", "levelno": logging.INFO}))
        handler.close()
        assert [line.message for line in logs.lines] == ["last words"]

    def test_passes_over_what_the_driver_logs(self, handler: MongoLogHandler, logs: FlakyLogs) -> None:
        handler.handle(logging.makeLogRecord({"name": "pymongo.command", "msg": "x", "levelno": logging.INFO}))
        handler.flush()
        assert logs.lines == []


def test_lines_come_back_from_mongodb_in_their_order(real_store: Store) -> None:
    handler = MongoLogHandler(LogStore(real_store.database))
    for number in range(1200):
        handler.handle(logging.makeLogRecord({"name": "x", "msg": f"{number}", "levelno": logging.INFO}))
    handler.close()
    found = [line.message for line in real_store.logs.query(limit=1000, newest_first=False).items]
    assert found == [str(number) for number in range(1000)]
