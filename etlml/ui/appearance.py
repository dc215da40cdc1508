"""Light or dark and the accent, for each viewer.

Streamlit has one theme for all viewers and sends it at the start of each run of a page. Here it is changed on its way to the
browser, so that widgets, tables and our own components all take the viewer's colours, at once and without a reload.
"""

import asyncio
import logging
from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from etlml.errors import EtlmlError
from etlml.services.preferences import Mode
from etlml.services.principals import LOCAL_NAME
from etlml.ui import accents, gate
from etlml.ui.backend import backend

_log = logging.getLogger(__name__)
_MOST_SESSIONS = 2000
_LARGEST = 256 * 1024  # a start of a run is a few kilobytes
_MARK = b"main.py"  # every start of a run names the main script, so that other messages need not be parsed


class Look(NamedTuple):
    """How the pages look to one viewer; an empty accent is the default."""

    mode: Mode = "system"
    accent: str = ""


class Looks:
    """What each open tab was last told to look like. Safe to use from many threads."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[str, Look] = OrderedDict()
        self._lock = Lock()

    def get(self, session: str) -> Look | None:
        """The look of a session, if it has one."""
        with self._lock:
            return self._by_session.get(session)

    def keep(self, session: str, look: Look) -> bool:
        """Have a session look like this from its next run on; whether it looked otherwise."""
        with self._lock:
            before = self._by_session.get(session)
            self._by_session[session] = look
            self._by_session.move_to_end(session)
            while len(self._by_session) > _MOST_SESSIONS:
                self._by_session.popitem(last=False)
        return before is not None and before != look


looks = Looks()


def look_of(person: str) -> Look:
    """What a person chose, or what the preferences say; the default where they cannot be read."""
    try:
        return Look(*backend().services.settings.look(person))
    except EtlmlError:
        return Look()


class Dressed:
    """Gives each viewer's connection the viewer's theme."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on; what a websocket sends is dressed."""
        if scope["type"] != "websocket":
            return await self._app(scope, receive, send)
        first = await asyncio.to_thread(_look_of_visitor, scope)

        async def dressing(message: Message) -> None:
            data = message.get("bytes") if message["type"] == "websocket.send" else None
            await send({**message, "bytes": dressed(data, first)} if data else message)

        await self._app(scope, receive, dressing)


def _look_of_visitor(scope: Scope) -> Look:
    if not backend().settings.auth_required:
        return look_of(LOCAL_NAME)
    try:
        return look_of(gate.signed_in(HTTPConnection(scope).cookies).name)
    except EtlmlError:
        return Look()


def dressed(data: bytes, first: Look) -> bytes:
    """A message to the browser; where it starts a run, with the theme of its session (``first`` if that has none yet)."""
    if len(data) > _LARGEST or _MARK not in data:
        return data
    try:
        message = ForwardMsg.FromString(data)
        if message.WhichOneof("type") != "new_session":
            return data
        session = message.new_session.initialize.session_id
        look = looks.get(session)
        if look is None:
            looks.keep(session, look := first)
        _dress(message.new_session.custom_theme, look)
        return bytes(message.SerializeToString())
    except (
        DecodeError,
        AttributeError,
        ValueError,
    ) as error:  # another Streamlit: its own colours are better than no page
        _log.warning(
            "This Streamlit starts its runs in another way, so that no viewer gets colours of their own: %s", error
        )
        return data


def _dress(theme: Any, look: Look) -> None:
    accent = accents.accent(look.accent)
    for part, colour in ((theme.light, accent.light), (theme.dark, accent.dark)):
        part.primary_color = colour
        if part.chart_categorical_colors:
            part.chart_categorical_colors[0] = colour
    if look.mode != "system":  # one theme in the place of two: nothing is left for the browser to choose
        theme.MergeFrom(theme.dark if look.mode == "dark" else theme.light)
        theme.base = theme.BaseTheme.DARK if look.mode == "dark" else theme.BaseTheme.LIGHT
        theme.ClearField("light")
        theme.ClearField("dark")
