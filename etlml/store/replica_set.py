"""Makes one mongod a replica set of one node: that is what gives transactions and change streams."""

import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from etlml.errors import Unavailable
from etlml.store.encoding import Document

NAME = "etlml"
_PAUSE_S = 0.03
_ALREADY_INITIATED = 23


def become_primary(port: int, *, timeout_s: float, check: Callable[[], None]) -> None:
    """Return when the server on that port of this machine takes writes.

    Args:
        port: Where it listens, or soon will.
        timeout_s: How long to wait.
        check: Called between two looks; raises if there is no hope.

    Raises:
        Unavailable: It did not get there in time.
    """
    deadline = time.monotonic() + timeout_s
    address = f"127.0.0.1:{port}"
    options: dict[str, Any] = {"directConnection": True, "serverSelectionTimeoutMS": 1000, "connectTimeoutMS": 1000}
    client: MongoClient[Document] = MongoClient(f"mongodb://{address}/", **options)
    try:
        while not _is_primary(client, address):
            check()
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The embedded MongoDB did not become ready within {timeout_s:g} s. Does it stand still?"
                )
            time.sleep(_PAUSE_S)
    finally:
        client.close()


def _is_primary(client: MongoClient[Document], address: str) -> bool:
    try:
        hello = client.admin.command("hello")
        if hello.get("setName") is None:
            _join(client, address)
            return False
        return bool(hello["isWritablePrimary"]) and hello.get("me") == address
    except PyMongoError:  # it does not listen yet, or replays its journal: that is what we wait for
        return False


def _join(client: MongoClient[Document], address: str) -> None:
    # A quick election: there is nobody else to vote.
    settings = {"electionTimeoutMillis": 1000}
    config = {"_id": NAME, "members": [{"_id": 0, "host": address}], "settings": settings}
    try:
        client.admin.command({"replSetInitiate": config})
    except AutoReconnect:
        return
    except OperationFailure as error:
        if error.code == _ALREADY_INITIATED:
            _move(client, address)


def _move(client: MongoClient[Document], address: str) -> None:
    """Tell a server that listens on another port than last time that it is still the same member."""
    config = client.local["system.replset"].find_one({"_id": NAME})
    if config is None or config["members"][0]["host"] == address:
        return  # it still reads its configuration
    config["members"][0]["host"] = address
    config["version"] += 1
    client.admin.command({"replSetReconfig": config, "force": True})
