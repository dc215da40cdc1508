"""How long user code has worked: what a loaded machine takes from it does not count."""

import time
from collections.abc import Callable
from typing import Any

import psutil

from etlml.compute.children import Children
from etlml.errors import StepCancelled


class Effort:
    """The seconds that a process worked or slept since it began with user code.

    While it would work, but other processes have the processors, nothing is counted but for ``longest_s``.

    Args:
        most_s: How many it may have.
        longest_s: After so many by the clock it is over in any case.
        clock: Seconds that only grow.
    """

    def __init__(
        self, most_s: float, longest_s: float = float("inf"), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_s, self._longest_s, self._clock = most_s, longest_s, clock
        self._process: psutil.Process | None = None
        self._spent_s = self._worked_s = self._at = self._began = 0.0

    def begin(self, pid: int) -> None:
        """From now on it counts."""
        try:
            self._process = psutil.Process(pid)
            self._worked_s, self._at = _worked(self._process), self._clock()
            self._began = self._at
        except psutil.Error:
            self._process = None

    def is_spent(self) -> bool:
        """Whether it had all that it may have; ask often."""
        if self._process is None:
            return False
        try:
            worked_s, sleeps = _worked(self._process), self._process.status() == psutil.STATUS_SLEEPING
        except psutil.Error:
            return False
        now = self._clock()
        passed = now - self._at
        self._spent_s += passed if sleeps else min(worked_s - self._worked_s, passed)
        self._worked_s, self._at = worked_s, now
        return self._spent_s > self._most_s or now - self._began > self._longest_s


def _worked(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class WatchedChildren:
    """Child processes that start when the first one is needed, and whose code is stopped when it has worked for long.

    Args:
        children: Gives them.
        effort: Makes what counts the work of one call.
    """

    def __init__(self, children: Callable[[], Children], effort: Callable[[], Effort]) -> None:
        self._children, self._effort = children, effort

    def run(
        self,
        target: str,
        kwargs: dict[str, Any],
        *,
        on_message: Callable[[dict[str, Any]], None],
        cancelled: Callable[[], bool],
        **limits: Any,
    ) -> Any:
        """As ``Children.run``.

        Raises:
            StepCancelled: As there; with the detail ``code_spent`` where the code worked, or slept, for as long as it may.
        """
        effort, spent = self._effort(), False

        def heard(message: dict[str, Any]) -> None:
            if "begun" in message:
                effort.begin(int(message["begun"]))
            else:
                on_message(message)

        def stopped() -> bool:
            nonlocal spent
            spent = spent or effort.is_spent()
            return spent or cancelled()

        try:
            return self._children().run(target, kwargs, on_message=heard, cancelled=stopped, **limits)
        except StepCancelled as error:
            error.details["code_spent"] = spent
            raise
