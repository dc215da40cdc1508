"""Where somebody waits, a MongoDB that does not answer is waited for once, and not again for each thing that is asked.

An operation fails when no server was found for some seconds. A page asks for twenty things, one after the other: where it is
``hurried``, the first one waits, and the others fail at once, until the driver, which keeps looking, has found the server again.
Whoever has time (the engine) waits each time.
"""

import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from etlml.store.encoding import Document
from etlml.store.faults import unreachable

_LONG_S = 2.0
_hurried: ContextVar[bool] = ContextVar("hurried", default=False)
_sought_in_vain: set[int] = set()  # by identity: two clients of one server are equal, and each has to look for itself


@contextmanager
def hurried() -> Iterator[None]:
    """For a page, a request or a command: a MongoDB that was looked for in vain is not waited for within."""
    token = _hurried.set(True)
    try:
        yield
    finally:
        _hurried.reset(token)


def check(client: MongoClient[Document]) -> None:
    """Raise Unavailable where nobody wants to wait for a server that was looked for in vain, and is still away."""
    if id(client) not in _sought_in_vain:
        return
    if client.topology_description.has_writable_server():
        _sought_in_vain.discard(id(client))
    elif _hurried.get():
        raise unreachable("It was looked for in vain a moment ago.")


@contextmanager
def asked(client: MongoClient[Document]) -> Iterator[None]:
    """Around an operation: ``check`` before it; if it was waited for long and in vain, that is remembered."""
    check(client)
    began = time.monotonic()
    try:
        yield
    except ConnectionFailure:
        # A connection that just broke is no sign: the next operation finds another one, or waits.
        if time.monotonic() - began > _LONG_S and not client.topology_description.has_writable_server():
            _remember(client)
        raise


def _remember(client: MongoClient[Document]) -> None:
    if id(client) not in _sought_in_vain:
        _sought_in_vain.add(id(client))
        weakref.finalize(client, _sought_in_vain.discard, id(client))
