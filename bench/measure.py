"""What a benchmark gives: rows of a table, each a figure beside its baseline and its limit."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        name: What was measured.
        value: The platform's figure.
        baseline: The same work by other means, in the same unit; None if there is nothing to compare with.
        limit: The most that ``value`` may be; None if nothing was promised.
        unit: Of all three.
        note: What else a reader wants to know.
    """

    name: str
    value: float
    baseline: float | None
    limit: float | None
    unit: str = "s"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def holds(self) -> bool:
        return self.limit is None or self.value <= self.limit

    def cells(self) -> list[str]:
        """As text, in the order of ``HEADINGS``."""
        baseline = "" if self.baseline is None else _figure(self.baseline, self.unit)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        limit = "" if self.limit is None else _figure(self.limit, self.unit)
        verdict = "" if self.limit is None else "ok" if self.holds else "OVER"
        return [
            self.name,
            _figure(self.value, self.unit),
            baseline,
            ratio,
            limit,
            verdict,
            self.note,
        ]


HEADINGS = ["benchmark", "etlml", "baseline", "ratio", "limit", "", "note"]


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(HEADINGS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * min(max(map(len, lines)), 140), *lines[1:]])


def in_turn(repeats: int, *works: Callable[[], float]) -> list[list[float]]:
    """The seconds that each piece of work took, ``repeats`` times in turn, so that a busy machine is busy for all of them."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for found, work in zip(taken, works, strict=True):
            found.append(work())
    return taken


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    with stopwatch() as elapsed:
        work()
    return elapsed[0]


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Gives a list that holds the seconds afterwards."""
    elapsed: list[float] = []
    start = time.perf_counter()
    try:
        yield elapsed
    finally:
        elapsed.append(time.perf_counter() - start)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of the values do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -int(-share * len(ranked) // 1) - 1))]


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
