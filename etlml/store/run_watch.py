"""Wake-ups for those who wait for runs: a change stream, or a poll where the server has none."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection as RawCollection
from pymongo.errors import OperationFailure, PyMongoError

from etlml.store.encoding import Document

LOG = logging.getLogger(__name__)

WakeupKind = Literal["queued", "claimed", "cancel", "ended", "unknown"]
_KIND_OF_STATUS: dict[str, WakeupKind] = {"pending": "queued", "running": "claimed"}
_CHANGED = "updateDescription.updatedFields"
_PIPELINE: list[dict[str, Any]] = [
    {
        "$match": {
            "$or": [
                {"operationType": "insert"},
                {f"{_CHANGED}.status": {"$exists": True}},
                {f"{_CHANGED}.cancel_requested": True},
            ]
        }
    },
    {
        "$project": {
            "documentKey": 1,
            "fullDocument.status": 1,
            f"{_CHANGED}.status": 1,
            f"{_CHANGED}.cancel_requested": 1,
        }
    },
]
_NO_CHANGE_STREAMS = {40573, 40324}  # a standalone server; a server that does not know the stage


@dataclass(frozen=True)
class Wakeup:
    """Something happened to a run; "unknown" (no run id): some events may have been missed, look at everything."""

    kind: WakeupKind
    run_id: str = ""


def wakeups(collection: RawCollection[Document], *, timeout_s: float) -> Iterator[Wakeup | None]:
    """See RunStore.watch."""
    while isinstance(collection, RawCollection):  # mongomock's has no change streams
        try:
            with collection.watch(_PIPELINE, max_await_time_ms=max(1, round(timeout_s * 1000))) as stream:
                yield Wakeup("unknown")  # what happened before the stream stood
                yield from _events(stream)
        except OperationFailure as error:
            if error.code in _NO_CHANGE_STREAMS:
                break
            LOG.debug("change stream ended: %s", error.code)
        except PyMongoError:
            LOG.debug("change stream lost; opening it again")
        time.sleep(min(timeout_s, 0.5))
        yield None
    while True:
        time.sleep(timeout_s)
        yield None


def _events(stream: ChangeStream[Document]) -> Iterator[Wakeup | None]:
    while stream.alive:
        change = stream.try_next()  # waits up to max_await_time_ms; resumes by itself once after a network fault
        yield None if change is None else _wakeup(change)


def _wakeup(change: Document) -> Wakeup:
    run_id = str(change["documentKey"]["_id"])
    fields = change.get("updateDescription", {}).get("updatedFields", {})
    status = fields.get("status") or change.get("fullDocument", {}).get("status")
    if status is None:
        return Wakeup("cancel", run_id)
    return Wakeup(_KIND_OF_STATUS.get(status, "ended"), run_id)
