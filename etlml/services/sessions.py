"""Who is signed in to the studio, by the token in their cookie."""

import hashlib
import secrets
import threading
import time
from datetime import timedelta

from etlml.clock import utc_now
from etlml.errors import NotSignedIn
from etlml.services.principals import Principal
from etlml.services.users import UserService
from etlml.store import Store

LIFETIME = timedelta(hours=12)
_TRUST_S = 2.0  # a page's hundred requests ask the database once
_MOST_TRUSTED = 1000


class SessionService:
    """Opens, knows and ends sessions. Only a digest of a token is stored."""

    def __init__(self, store: Store, users: UserService) -> None:
        self._store = store
        self._users = users
        self._seen: dict[str, tuple[float, Principal]] = {}
        self._lock = threading.Lock()

    def open(self, principal: Principal) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        self._store.sessions.put(_digest(token), principal.name, utc_now() + LIFETIME)
        return token

    def principal(self, token: str) -> Principal:
        """Whose session it is, with the role that they have now (or had up to two seconds ago).

        Raises:
            NotSignedIn: There is no such session, or it has ended.
        """
        key = _digest(token)
        with self._lock:
            at, known = self._seen.get(key, (0.0, None))
        if known is not None and time.monotonic() - at < _TRUST_S:
            return known
        session = self._store.sessions.get(key) if token else None
        if session is None:
            raise NotSignedIn("Sign in to go on.")
        principal = self._users.principal(str(session["user"]))
        with self._lock:
            if len(self._seen) > _MOST_TRUSTED:
                self._seen.clear()
            self._seen[key] = (time.monotonic(), principal)
        return principal

    def close(self, token: str) -> None:
        """Sign out."""
        key = _digest(token)
        with self._lock:
            self._seen.pop(key, None)
        self._store.sessions.delete(key)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
