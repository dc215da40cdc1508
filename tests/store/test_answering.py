"""A MongoDB that stands still: told soon, waited for once, and at work again by itself. The real one, stopped with a signal."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etlml.errors import Unavailable
from etlml.store import Store, answering, hurried, open_store
from etlml.store.client import _DEFAULTS
from etlml.store.mongod import EmbeddedMongod
from etlml.store.mongod_process import server_on

QUICK = {"heartbeatFrequencyMS": 500, "connectTimeoutMS": 500, "serverSelectionTimeoutMS": 500}


def test_a_standstill_is_told_within_ten_seconds() -> None:
    noticed = _DEFAULTS["heartbeatFrequencyMS"] + _DEFAULTS["connectTimeoutMS"]
    assert noticed + _DEFAULTS["serverSelectionTimeoutMS"] < 10_000


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """The server of that folder stands still."""
    server = server_on(folder)
    assert server is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Path]]:
    """A store on a server of its own, quick to give up; and the server's folder."""
    monkeypatch.setattr(answering, "_LONG_S", 0.3)
    server = EmbeddedMongod(tmp_path / "mongod")
    uri = server.start()
    try:
        with open_store(uri, "test", indexes=False, **QUICK) as store:
            yield store, server.folder
    finally:
        server.stop()


def seconds(action: Callable[[], object]) -> float:
    """How long it takes until MongoDB is said to be away."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match="MongoDB cannot be reached"):
        action()
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no process can be stopped and continued")
def test_who_is_hurried_waits_once_who_has_time_waits_each_time_and_all_go_on_by_themselves(
    own: tuple[Store, Path],
) -> None:
    store, folder = own
    store.settings.set("kept", 1)
    rows, took_s = 1500, 0.0
    while took_s < 0.6:  # longer than the driver looks for a server, however fast the machine is
        began = time.monotonic()
        assert heavy(store, rows) == rows * 2000
        took_s, rows = time.monotonic() - began, rows * 2
    with frozen(folder):
        with hurried():
            assert 0.3 < seconds(lambda: store.settings.get("kept")) < 6
            at_once = (
                lambda: store.settings.get("kept"),
                lambda: store.settings.set("kept", 2),
                lambda: store.logs.sources(),
                lambda: store.in_transaction(lambda: store.settings.set("kept", 2)),
                store.ping,
                store.facts,
                store.sizes,
            )
            assert sum(seconds(each) for each in at_once) < 0.2
        assert seconds(lambda: store.settings.get("kept")) > 0.3
    with hurried():
        assert answered(lambda: store.settings.get("kept"), within_s=5) == 1


def heavy(store: Store, rows: int) -> int:
    """An aggregation that takes the longer the more rows it counts."""
    inner = {"$size": {"$map": {"input": {"$range": [0, 2000]}, "as": "n", "in": {"$multiply": ["$$n", "$$n"]}}}}
    counted = {"$sum": {"$map": {"input": {"$range": [0, rows]}, "as": "m", "in": inner}}}
    (found,) = store.settings.collection.aggregate([{"$limit": 1}, {"$project": {"n": counted}}])
    return int(found["n"])


def answered(action: Callable[[], object], *, within_s: float) -> object:
    """What it gives as soon as MongoDB answers again."""
    end = time.monotonic() + within_s
    while True:
        try:
            return action()
        except Unavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
