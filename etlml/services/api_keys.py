"""Keys for programs: shown once, kept as a digest."""

import hashlib
import secrets
from datetime import datetime, timedelta

from etlml.clock import new_id, utc_now
from etlml.documents import ApiKey, Role
from etlml.errors import ConfigInvalid, NotFound, NotSignedIn
from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME, Principal
from etlml.store import Page, Store

PREFIX = "etlml_"
_SHOWN_CHARACTERS = len(PREFIX) + 6
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ApiKeyService:
    """Create, list, revoke and check API keys."""

    def __init__(self, store: Store, audit: AuditService) -> None:
        self._store = store
        self._audit = audit

    def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[ApiKey]:
        """Keys, newest first; the keys themselves cannot be read again."""
        return self._store.api_keys.list(limit=limit, cursor=cursor)

    def create(
        self,
        name: str,
        *,
        role: Role = "editor",
        expires_at: datetime | None = None,
        author: str = LOCAL_NAME,
        document_id: str | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key's document, and the key itself, which is shown only now."""
        if not name.strip() or len(name) > 100:
            raise ConfigInvalid("An API key needs a name of at most 100 characters.", field="name")
        if expires_at is not None and expires_at <= utc_now():
            raise ConfigInvalid("The key would have expired already. Choose a later time.", field="expires_at")
        key = PREFIX + secrets.token_urlsafe(32)
        document = ApiKey(
            id=document_id or new_id(),
            name=name,
            role=role,
            key_hash=_digest(key),
            prefix=key[:_SHOWN_CHARACTERS],
            created_by=author,
            expires_at=expires_at,
        )
        self._store.api_keys.add(document)
        self._audit.record(author, "created", "api_key", document.id, name=name, role=role)
        return document, key

    def get(self, key_id: str) -> ApiKey:
        """The document of a key; NotFound if there is none."""
        return self._store.api_keys.get(key_id)

    def delete(self, key_id: str, *, author: str = LOCAL_NAME) -> None:
        """Revoke a key; it stops working at once."""
        self._store.api_keys.delete(key_id)
        self._audit.record(author, "deleted", "api_key", key_id)

    def principal(self, key: str) -> Principal:
        """Whom a key stands for; NotSignedIn if it is not known, revoked or expired."""
        try:
            document = self._store.api_keys.by_hash(_digest(key))
        except NotFound:
            document = None
        now = utc_now()
        if document is None or (document.expires_at is not None and document.expires_at <= now):
            raise NotSignedIn("The API key is not known, revoked or expired. Create a new one in the settings.")
        if document.last_used_at is None or now - document.last_used_at > _USE_IS_NOTED_EVERY:
            self._store.api_keys.touch(document.id, now)
        return Principal(f"key:{document.name}", document.role)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
