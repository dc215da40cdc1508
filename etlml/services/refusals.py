"""Webhook calls that start nothing: counted, the last ones kept, never their token; a flood of them costs little."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from etlml.clock import utc_now
from etlml.documents import Refusal, RefusalReason
from etlml.engine.leftovers import UNKNOWN
from etlml.redaction import redacted
from etlml.store import Store

MOST_A_MINUTE = 30
"""So many refusals of a pipeline are written one by one; what is beyond is counted here, and written with the next one."""
LONGEST_MESSAGE = 200
LOG = logging.getLogger(__name__)


@dataclass
class _Minute:
    number: int = -1
    written: int = 0
    uncounted: int = 0
    untold: int = 0


@dataclass
class Refusals:
    """Takes note of refused calls; thread-safe.

    Each process writes and logs so much a minute, whatever it is sent: MOST_A_MINUTE small updates and one line of the log
    for each pipeline, and the same for all unknown tokens together.
    """

    store: Store
    clock: Callable[[], float]
    _minutes: dict[str, _Minute] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, pipeline_id: str, pipeline: str, reason: RefusalReason, message: str) -> None:
        """Take note of one call that was refused; ``pipeline_id`` is UNKNOWN where the token was."""
        times, told = self._due(pipeline_id)
        if times:
            refusal = Refusal(ts=utc_now(), reason=reason, message=redacted(message)[:LONGEST_MESSAGE])
            self.store.webhook_calls.refused(pipeline_id, refusal, times=times)
        if told and pipeline_id == UNKNOWN:
            LOG.warning("Webhook calls with an unknown token were refused: %d since this was last said.", told)
        elif told:
            about = {"pipeline_id": pipeline_id}
            LOG.warning(
                "Webhook calls of %s were refused: %d since this was last said. %s",
                pipeline,
                told,
                message,
                extra=about,
            )

    def _due(self, pipeline_id: str) -> tuple[int, int]:
        """How many calls are to be written now, and how many to be told."""
        number = int(self.clock() // 60)
        with self._lock:
            minute = self._minutes.setdefault(pipeline_id, _Minute())
            minute.uncounted += 1
            minute.untold += 1
            fresh = minute.number != number
            if fresh:
                minute.number, minute.written = number, 0
            times = told = 0
            if minute.written < MOST_A_MINUTE:
                minute.written += 1
                times, minute.uncounted = minute.uncounted, 0
            if fresh:
                told, minute.untold = minute.untold, 0
            return times, told
