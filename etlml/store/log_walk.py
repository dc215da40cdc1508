"""Back through a time in pieces, each about as long as MongoDB reads in a moment: so that a look can stop when it should."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from etlml.errors import TookTooLong

FIRST, SHORTEST = timedelta(hours=1), timedelta(seconds=1)
_PIECE_S = 0.06
_SHORTEST_MS = 5000  # a second's lines cannot be cut further: they get their time
_LEAST_MS = 50
_Found = TypeVar("_Found")


class Walk:
    """Pieces of a time, the newest first, until its beginning is reached or the patience has run out.

    Attributes:
        reached: From here on everything was looked at.
        width: How long the next piece is.
    """

    def __init__(self, since: datetime, until: datetime, patience_s: float, *, width: timedelta = FIRST) -> None:
        self.since, self.reached, self.width = since, until, width
        self._ends = time.monotonic() + patience_s

    @property
    def left_s(self) -> float:
        """The patience that is left."""
        return max(0.0, self._ends - time.monotonic())

    def each(self, read: Callable[[datetime, datetime, int], _Found]) -> Iterator[_Found]:
        """What ``read`` finds from a time up to another within so many milliseconds, piece after piece.

        At least one piece is looked at; one that takes too long is cut.
        """
        while self.reached > self.since:
            begin = self.reached - min(self.width, self.reached - self.since)
            shortest = self.reached - begin <= SHORTEST
            began = time.monotonic()
            try:
                found = read(
                    begin, self.reached, _SHORTEST_MS if shortest else max(_LEAST_MS, round(1000 * self.left_s))
                )
            except TookTooLong:
                if shortest:
                    raise
                self.width = max(SHORTEST, (self.reached - begin) / 8)
                if not self.left_s:
                    return
                continue
            took = max(time.monotonic() - began, 0.001)
            self.reached = begin
            self.width = max(SHORTEST, self.width * min(4.0, max(0.25, _PIECE_S / took)))
            yield found
            if not self.left_s:
                return
