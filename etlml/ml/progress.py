"""What a training tells while it goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Progress:
    """Sends points of metrics and lines for the log to whoever started the training."""

    report: Report

    def point(self, key: str, value: float, step: int) -> None:
        """One value of one metric; a value that is not finite is no value."""
        if -float("inf") < value < float("inf"):
            self.report({"point": {"key": key, "value": float(value), "step": int(step)}})

    def points(self, values: Mapping[str, float], step: int) -> None:
        """Several metrics at one step."""
        for key, value in values.items():
            self.point(key, value, step)

    def log(self, level: str, message: str) -> None:
        """One line for the run's log."""
        self.report({"log": level, "message": message})
