"""Tells people what happened: looks for what ended, notes it once a channel, sends what waits as one message.

Any number of workers may do this at once. An event has one record a channel, made before it is sent; a message is sent by
the worker whose turn it is, and takes all that waits. So a hundred failures are two messages: the first, and the rest.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from etlml.clock import Clock, new_id
from etlml.documents import Channel, Notice, Pipeline
from etlml.engine import notices
from etlml.engine.preferences import KEY as PREFERENCES
from etlml.engine.sending import address, send
from etlml.errors import EtlmlError
from etlml.redaction import redacted
from etlml.settings import Settings

if TYPE_CHECKING:
    from etlml.store.client import Store

LOOK_BACK = timedelta(hours=1)  # at the start: what ended while nobody looked
OVERLAP = timedelta(minutes=2)  # a record may be stored a little after the time that it bears
GROUP_S = 60.0
PAUSES_S = (15.0, 60.0, 240.0)
"""How long to wait after each failed try; then the message is given up."""
BATCH = 500
LOG = logging.getLogger(__name__)
Send = Callable[[str, str, str], None]


class Notifying:
    """One worker's part in it; ``tick`` is called by one thread, which nothing else waits for.

    Args:
        store: The truth.
        settings: Where the studio is, for links.
        now: The clock.
        send: Takes URL, title and text.
        group_s: After a message, what happens within these seconds goes out as the next one.
    """

    def __init__(
        self, store: "Store", settings: Settings, now: Clock, *, send: Send = send, group_s: float = GROUP_S
    ) -> None:
        self._store, self._settings, self._now, self._send = store, settings, now, send
        self._group = timedelta(seconds=group_s)
        self._since = now() - LOOK_BACK
        self._seen: set[str] = set()

    def tick(self) -> int:
        """Note what is new, and send what waits; how many messages were sent."""
        now = self._now()
        channels = self._store.channels.enabled()
        if not channels:
            self._since = now - OVERLAP
            return 0
        seen = self._note(channels)
        self._since, self._seen = now - OVERLAP, seen
        due = [channel for channel in channels if channel.next_at is None or channel.next_at <= now]
        waiting = self._store.notices.waiting([channel.id for channel in due])
        return sum(self._deliver(channel) for channel in due if channel.id in waiting)

    def _note(self, channels: Sequence[Channel]) -> set[str]:
        """Record what ended since the last look; the ids of all that was looked at."""
        seen, since = set[str](), self._since
        url, known = self._url(), dict[str, Pipeline | None]()
        while True:
            runs = self._store.runs.ended_after(since, limit=BATCH)
            for run in runs:
                if run.id not in self._seen | seen:
                    before = self._store.runs.outcome_before(run) if run.status == "success" else None
                    events = notices.run_events(run, before)
                    pipeline = self._pipeline(run.pipeline_id, known)
                    for channel in channels:
                        event = notices.wanted(channel, events, pipeline, run.pipeline_name)
                        if event and run.finished_at and run.finished_at >= channel.active_since:
                            self._store.notices.add_new([notices.of_run(channel, event, run, url)])
                seen.add(run.id)
            if len(runs) < BATCH or runs[-1].finished_at is None:
                break
            since = runs[-1].finished_at
        return seen | self._note_validations(channels, url, known)

    def _note_validations(self, channels: Sequence[Channel], url: str, known: dict[str, Pipeline | None]) -> set[str]:
        seen = set[str]()
        for one in self._store.validations.troubled_after(self._since, limit=BATCH):
            seen.add(one.id)
            if one.id in self._seen:
                continue
            pipeline = self._pipeline(one.pipeline_id, known)
            name = pipeline.name if pipeline else ""
            events = notices.validation_events(one)
            for channel in channels:
                event = notices.wanted(channel, events, pipeline, name)
                if event and one.created_at >= channel.active_since:
                    self._store.notices.add_new([notices.of_validation(channel, event, one, name, url)])
        return seen

    def _pipeline(self, pipeline_id: str | None, known: dict[str, Pipeline | None]) -> Pipeline | None:
        if pipeline_id is None:
            return None
        if pipeline_id not in known:
            known[pipeline_id] = self._store.pipelines.get_many([pipeline_id]).get(pipeline_id)
        return known[pipeline_id]

    def _deliver(self, channel: Channel) -> int:
        now = self._now()
        if not self._store.channels.take_turn(channel.id, now, now + self._group):
            return 0  # another worker sends
        batch = new_id()
        taken = self._store.notices.take(channel.id, batch)
        if not taken:
            return 0
        try:
            title, text = notices.composed(taken, self._environment())
            self._send(address(channel.target), title, text)
        except Exception as error:  # noqa: BLE001 - a service's fault is no fault of a run; it is logged and shown
            self._failed(channel, batch, taken, error, now)
            return 0
        self._store.notices.end(batch, {"status": "sent", "sent_at": self._now()})
        self._store.channels.note(channel.id, {"last_sent_at": self._now(), "last_error": None})
        return 1

    def _failed(self, channel: Channel, batch: str, taken: Sequence[Notice], error: Exception, now: datetime) -> None:
        tries = max(notice.attempts for notice in taken)
        reason = redacted(error.message) if isinstance(error, EtlmlError) else type(error).__name__
        over = tries > len(PAUSES_S)
        LOG.warning(
            "Channel %s could not send a message (try %d of %d): %s", channel.name, tries, len(PAUSES_S) + 1, reason
        )
        self._store.notices.end(batch, {"status": "failed" if over else "waiting"})
        changes: dict[str, object] = {"last_error": reason}
        if not over:
            changes["next_at"] = now + timedelta(seconds=PAUSES_S[tries - 1])
        self._store.channels.note(channel.id, changes)

    def _url(self) -> str:
        stored = self._store.settings.get(PREFERENCES, {}) or {}
        host = "localhost" if self._settings.host in ("0.0.0.0", "::") else self._settings.host
        return str(stored.get("public_url") or f"http://{host}:{self._settings.port}").rstrip("/")

    def _environment(self) -> str:
        return str((self._store.settings.get(PREFERENCES, {}) or {}).get("environment_name") or "")
