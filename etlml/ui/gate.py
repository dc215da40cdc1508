"""Sign-in in front of everything: a form, a cookie that scripts cannot read, a middleware that lets nobody else through."""

import asyncio
import html
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from etlml.errors import EtlmlError
from etlml.services.principals import Principal
from etlml.services.sessions import LIFETIME
from etlml.ui.assets_route import PREFIX
from etlml.ui.backend import backend

COOKIE = "etlml_session"
_OPEN = frozenset({"/login", "/logout", "/healthz", "/_stcore/health"})
_OPEN_FOLDERS = ("/static/", f"/{PREFIX}/")  # the bundles of Streamlit and ours; no data


def signed_in(cookies: Any) -> Principal:
    """Who the cookies stand for; NotSignedIn if nobody."""
    return backend().services.sessions.principal(str(cookies.get(COOKIE, "")))


class Gate:
    """Lets through who is signed in: pages, data and the websocket alike."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one connection."""
        if scope["type"] not in ("http", "websocket") or _is_open(scope["path"]):
            return await self._app(scope, receive, send)
        connection = HTTPConnection(scope)
        try:
            await asyncio.to_thread(signed_in, connection.cookies)
        except EtlmlError as error:
            return await _refuse(connection, error, scope, receive, send)
        return await self._app(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in _OPEN or (path.startswith(_OPEN_FOLDERS) and ".." not in path)


async def _refuse(connection: HTTPConnection, error: EtlmlError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4401})
        return
    response: Response
    if "text/html" in connection.headers.get("accept", ""):
        wanted = scope["path"] + (f"?{scope['query_string'].decode()}" if scope.get("query_string") else "")
        response = RedirectResponse(f"/login?next={quote(wanted, safe='')}" if wanted != "/" else "/login", 303)
    else:
        response = JSONResponse({"error": {"type": error.type, "message": error.message, "details": {}}}, 401)
    await response(scope, receive, send)


def safe_target(wanted: str) -> str:
    """Where to go after sign-in: a path of this server, never another one."""
    parts = urlsplit(wanted)
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if plain and "\n" not in wanted and "\r" not in wanted else "/"


async def _login(request: Request) -> Response:
    if request.method == "GET":
        return _form("")
    if not _same_origin(request):
        return _form("The form came from another site. Try again here.", 403)
    services = backend().services
    address = request.client.host if request.client else "unknown"
    fields = await request.form()
    name, password = str(fields.get("name", "")), str(fields.get("password", ""))
    if wait_s := services.throttle.wait_s(name, address):
        return _form(f"Too many wrong passwords. Try again in {wait_s} s.", 429, name=name)
    try:
        principal = await asyncio.to_thread(services.users.sign_in, name, password)
    except EtlmlError as error:
        services.throttle.failed(name, address)
        return _form(error.message, 401, name=name)
    services.throttle.succeeded(name, address)
    token = await asyncio.to_thread(services.sessions.open, principal)
    response = RedirectResponse(safe_target(request.query_params.get("next", "/")), 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


async def _logout(request: Request) -> Response:
    if request.method == "POST" and not _same_origin(request):
        return RedirectResponse("/", 303)
    await asyncio.to_thread(backend().services.sessions.close, request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or origin == "null" or urlsplit(origin).netloc == request.headers.get("host", "")


@lru_cache(maxsize=1)
def _page() -> str:
    return (files("etlml.ui") / "assets" / "sign_in.html").read_text(encoding="utf-8")


def _form(problem: str, status: int = 200, *, name: str = "") -> Response:
    shown = f'<p class="bad" role="alert">{html.escape(problem)}</p>' if problem else ""
    page = _page().replace("__NAME__", html.escape(name, quote=True)).replace("__ERROR__", shown)
    headers = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}
    return HTMLResponse(page, status, headers=headers)


routes = [Route("/login", _login, methods=["GET", "POST"]), Route("/logout", _logout, methods=["GET", "POST"])]
