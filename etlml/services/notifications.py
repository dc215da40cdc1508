"""Notification channels: where messages about runs and data go. A URL is written, replaced and used, never shown again."""

import re
from collections.abc import Mapping
from typing import Any

from etlml.clock import new_id, utc_now
from etlml.documents import Channel, Notice
from etlml.engine.sending import address, checked_target, send
from etlml.errors import ConfigInvalid, EtlmlError
from etlml.invalid import valid
from etlml.redaction import MASK, register_secrets
from etlml.services.audit import AuditService
from etlml.services.etags import check_etag
from etlml.services.plain import checked_plain
from etlml.services.principals import LOCAL_NAME
from etlml.services.probes import tried
from etlml.services.secrets import SecretService
from etlml.settings import SECRET_REFERENCE, with_secrets
from etlml.store import Page, Store

FIELDS = ("name", "url", "events", "pipelines", "tags", "enabled")
_OWN_SECRET = "NOTIFY_"


class NotificationService:
    """Create, change, read, test and delete channels."""

    def __init__(self, store: Store, audit: AuditService, secrets: SecretService) -> None:
        self._store = store
        self._audit = audit
        self._secrets = secrets

    def list(self, *, q: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Channel]:
        """Channels, newest first."""
        return self._store.channels.list(q=q, limit=limit, cursor=cursor)

    def get(self, name_or_id: str) -> Channel:
        """The channel of that name or id; NotFound (did you mean) if there is none."""
        return self._store.channels.find(name_or_id)

    def has(self, name: str) -> bool:
        """Whether there is a channel of that name."""
        return name in self._store.channels.names()

    def notices(self, name_or_id: str, *, limit: int = 20, cursor: str | None = None) -> Page[Notice]:
        """What a channel was told, newest first."""
        return self._store.notices.list(channel_id=self.get(name_or_id).id, limit=limit, cursor=cursor)

    def create(
        self, document: Mapping[str, Any], *, author: str = LOCAL_NAME, document_id: str | None = None
    ) -> Channel:
        """Add a channel: ``{name, url, events[], pipelines[], tags[], enabled}``.

        The ``url`` is stored as a secret of its own, unless it is nothing but the name of one.

        Raises:
            ConfigInvalid: A field is wrong, or the URL is none of a known service.
            NameTaken: There is a channel of that name.
        """
        given = _checked(document)
        url = given.pop("url", None)
        if not url:
            raise ConfigInvalid(
                "A channel needs a URL. Choose a preset, or write one like json://host/path.", field="url"
            )
        channel_id = document_id or new_id()
        channel = valid(Channel, given | {"id": channel_id, "target": MASK}, where="The channel")
        channel = channel.model_copy(update=self._kept(channel_id, url, author))
        try:
            self._store.channels.add(channel)
        except EtlmlError:
            self._secrets.forget(_secret_of(channel_id))
            raise
        self._audit.record(author, "created", "notification", channel.id, name=channel.name)
        return channel

    def update(
        self,
        name_or_id: str,
        document: Mapping[str, Any],
        *,
        expected_etag: str | None = None,
        author: str = LOCAL_NAME,
    ) -> Channel:
        """Change a channel; what is left out stays, the URL too."""
        stored = self.get(name_or_id)
        check_etag(stored, expected_etag)
        given = _checked(document)
        url = given.pop("url", None)
        changed = valid(Channel, stored.model_dump() | given, where="The channel")
        if changed.enabled and not stored.enabled:
            changed.active_since = utc_now()
        if url:
            changed = changed.model_copy(update=self._kept(stored.id, url, author) | {"next_at": None})
        changed.updated_at = utc_now()
        self._store.channels.replace(changed)
        self._audit.record(author, "changed", "notification", stored.id, name=changed.name, url_changed=bool(url))
        return changed

    def delete(self, name_or_id: str, *, author: str = LOCAL_NAME) -> None:
        """Remove a channel, its URL and what it was told."""
        channel = self.get(name_or_id)
        self._store.channels.delete(channel.id)
        self._store.notices.delete_of(channel.id)
        self._secrets.forget(_secret_of(channel.id))
        self._audit.record(author, "deleted", "notification", channel.id, name=channel.name)

    def test(self, name_or_id: str) -> dict[str, Any]:
        """Send a message now: ``{"ok", "message", "duration_ms"}``."""
        channel = self.get(name_or_id)

        def attempt() -> str:
            send(address(channel.target), "Test from etlml", f"Channel {channel.name} works.")
            return "The service took the message."

        return tried(attempt)

    def _kept(self, channel_id: str, url: str, author: str) -> dict[str, str]:
        """The target as it is stored: the name of a secret that holds the URL, whatever the URL is made of."""
        service = checked_target(with_secrets(url))
        own = _secret_of(channel_id)
        if SECRET_REFERENCE.fullmatch(url):
            self._secrets.forget(own)
            return {"target": url, "service": service}
        register_secrets([url])
        self._secrets.set(own, url, author=author)
        return {"target": f"${{secret.{own}}}", "service": service}


def _secret_of(channel_id: str) -> str:
    return f"{_OWN_SECRET}{re.sub(r'[^A-Z0-9_]', '_', channel_id.upper())}"


def _checked(document: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = checked_plain(dict(document), where="the channel")
    for key in given:
        if key not in FIELDS:
            raise ConfigInvalid(f"A channel has no field {key!r}. It has: {', '.join(FIELDS)}.", field=key)
    url = given.get("url")
    if url is not None and not isinstance(url, str):
        raise ConfigInvalid("The channel's URL is no text. Write it in quotes.", field="url")
    return given
