"""Who may call from a browser: the right host, the same origin, and the origins that the settings allow."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import error_reply
from etlml.errors import EtlmlError
from etlml.settings import LOOPBACK

_FRESH_S = 5.0
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Origins:
    """The allowed origins, asked of the settings at most every few seconds."""

    def __init__(self, read: Callable[[], list[str]]) -> None:
        self._read = read
        self._allowed: frozenset[str] = frozenset()
        self._fresh_until = 0.0

    async def refresh(self) -> None:
        """Read them again if they are old; the old ones stay in force while the database is away."""
        if time.monotonic() < self._fresh_until:
            return
        self._fresh_until = time.monotonic() + _FRESH_S
        try:
            self._allowed = frozenset(await run_in_threadpool(self._read))
        except EtlmlError:
            return

    def allows(self, origin: str) -> bool:
        """Whether pages of that origin may call."""
        return origin.lower() in self._allowed


class BrowserGuard:
    """Refuses what a foreign web page makes a browser send.

    A page can give its own name this machine's address (DNS rebinding), so on loopback the Host header must name loopback.
    A page can also send requests without being able to read the answer, so whatever changes something must be of the
    same origin, or of one that the settings allow.
    """

    def __init__(self, app: ASGIApp, *, origins: Origins, loopback_only: bool) -> None:
        self._app = app
        self._origins = origins
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._loopback_only and _hostname(host) not in LOOPBACK:
            message = "This server answers on this machine only: call it as localhost or 127.0.0.1."
            await error_reply(421, "WrongHost", message)(scope, receive, send)
            return
        if origin is not None:
            await self._origins.refresh()
            if scope["method"] not in _SAFE_METHODS and not self._is_welcome(origin, host):
                message = "Pages of another origin may not change anything here. An admin can allow it: settings, cors_origins."
                await error_reply(403, "NotAllowed", message)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_welcome(self, origin: str, host: str) -> bool:
        return urlsplit(origin).netloc.lower() == host.lower() or self._origins.allows(origin)


class Cors(CORSMiddleware):
    """CORS for the origins that the settings allow."""

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        super().__init__(
            app,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-API-Key"),
            expose_headers=("ETag", "Location", "Idempotency-Replayed"),
        )
        self._origins = origins

    def is_allowed_origin(self, origin: str) -> bool:
        """Whether pages of that origin may read answers."""
        return self._origins.allows(origin)


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
