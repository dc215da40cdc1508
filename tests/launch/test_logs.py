"""Where the log lines of a process go."""

import io
import logging
from collections.abc import Iterator

import pytest

from etlml.engine import engine
from etlml.launch.logs import log_to_terminal


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    written = io.StringIO()
    handler = log_to_terminal("worker", stream=written)
    yield written
    logging.getLogger().removeHandler(handler)


def test_a_tick_that_is_late_is_no_news(stream: io.StringIO) -> None:
    assert engine.LOG.name  # its module makes the clock quiet
    logging.getLogger("apscheduler.scheduler").warning("Execution of job skipped")
    logging.getLogger("apscheduler.executors").error("Job raised")
    assert "skipped" not in stream.getvalue()
    assert "Job raised" in stream.getvalue()
