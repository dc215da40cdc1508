"""Slows down who guesses passwords, and who calls too often."""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 300.0
MOST_FAILURES = 10
_REMEMBERED = 10_000
_MINUTE_S = 60.0


class Throttle:
    """Counts failed sign-ins for each name and each address; after too many, both must wait.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, name: str, address: str) -> int:
        """How many seconds this name, or this address, has to wait before the next try; 0 is none."""
        with self._lock:
            for key in (f"name:{name}", f"address:{address}"):
                recent = self._recent(key)
                if len(recent) >= MOST_FAILURES:
                    return max(1, round(recent[0] + WINDOW_S - self._clock()))
        return 0

    def failed(self, name: str, address: str) -> None:
        """Note a failure."""
        with self._lock:
            for key in (f"name:{name}", f"address:{address}"):
                self._failures[key] = [*self._recent(key), self._clock()]
                self._failures.move_to_end(key)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of who has signed in."""
        with self._lock:
            self._failures.pop(f"name:{name}", None)
            self._failures.pop(f"address:{address}", None)

    def _recent(self, key: str) -> list[float]:
        start = self._clock() - WINDOW_S
        return [at for at in self._failures.get(key, ()) if at > start]


class Pace:
    """At most so many calls within any minute for each key; thread-safe.

    Args:
        most: How many.
        clock: Seconds that only grow.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> int:
        """Count a call, and 0; where it is one too many it is not counted: how many seconds it has to wait."""
        with self._lock:
            now = self._clock()
            calls = self._calls.setdefault(key, deque(maxlen=self._most))
            self._calls.move_to_end(key)
            if len(calls) == self._most and now - calls[0] < _MINUTE_S:
                return max(1, math.ceil(calls[0] + _MINUTE_S - now))
            calls.append(now)
            while len(self._calls) > _REMEMBERED:
                self._calls.popitem(last=False)
            return 0
