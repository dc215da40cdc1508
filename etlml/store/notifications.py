"""Where messages go, and what was told: each event once a channel, whichever worker sees it first."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from etlml.documents import Channel, Notice
from etlml.store.base import DocumentStore, NamedStore
from etlml.store.encoding import decoded, encoded, storable
from etlml.store.paging import Page, contains, matching


class ChannelStore(NamedStore[Channel]):
    """Notification channels by id or unique name."""

    model = Channel
    kind = "notification channel"

    def list(self, *, q: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Channel]:
        """Channels, newest first; ``q`` is looked for in the name."""
        return self._page({"name": contains(q)} if q else {}, limit=limit, cursor=cursor)

    def enabled(self) -> Sequence[Channel]:
        """Those that are switched on."""
        return [decoded(Channel, each) for each in self.collection.find({"enabled": True}, limit=1000)]

    def take_turn(self, channel_id: str, now: datetime, next_at: datetime) -> bool:
        """Whether the caller is the one to send now; nobody else is until ``next_at``."""
        free = {"$or": [{"next_at": None}, {"next_at": {"$lte": now}}]}
        return self.collection.update({"_id": channel_id, "enabled": True, **free}, {"$set": {"next_at": next_at}})

    def note(self, channel_id: str, changes: Mapping[str, Any]) -> None:
        """Note how sending went; a channel that is gone is none to note."""
        self.collection.update({"_id": channel_id}, {"$set": storable(changes)})


class NoticeStore(DocumentStore[Notice]):
    """What is to be told, and was. Old ones expire."""

    model = Notice
    kind = "notice"

    def list(
        self, *, channel_id: str | None = None, status: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Notice]:
        """Notices, newest first."""
        return self._page(matching(channel_id=channel_id, status=status), limit=limit, cursor=cursor)

    def add_new(self, notices: Sequence[Notice]) -> None:
        """Store those that nobody stored before."""
        self.collection.insert_many([encoded(each) for each in notices])

    def waiting(self, channel_ids: Collection[str]) -> set[str]:
        """The channels among these that have something to tell."""
        return {
            channel_id
            for channel_id in channel_ids
            if self.collection.find_one({"channel_id": channel_id, "status": "waiting"}, projection={"_id": 1})
        }

    def take(self, channel_id: str, batch: str) -> Sequence[Notice]:
        """All that waits for a channel, now the caller's to send as one message; oldest first."""
        self.collection.update_many(
            {"channel_id": channel_id, "status": "waiting"},
            {"$set": {"status": "sending", "batch": batch}, "$inc": {"attempts": 1}},
        )
        return [decoded(Notice, each) for each in self.collection.find({"batch": batch}, sort=[("created_at", 1)])]

    def end(self, batch: str, changes: Mapping[str, Any]) -> None:
        """Say what became of a batch."""
        self.collection.update_many({"batch": batch}, {"$set": storable(changes)})

    def delete_of(self, channel_id: str) -> int:
        """Forget what a channel was told; how many there were."""
        return self.collection.delete({"channel_id": channel_id})
