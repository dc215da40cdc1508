"""When a process that died is started again, and when not any more: a pure function of the times of its deaths."""

from collections.abc import Sequence

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 15.0
WINDOW_S = 120.0
MOST_DEATHS = 5


def restart_delay(deaths: Sequence[float]) -> float | None:
    """How long to wait before the next start.

    Args:
        deaths: Monotonic times of the deaths so far in seconds, ascending, the latest last; not empty.

    Returns:
        Seconds, doubling with each death in the last two minutes; None when there were so many that it would die again.
    """
    recent = sum(deaths[-1] - death <= WINDOW_S for death in deaths)
    if recent >= MOST_DEATHS:
        return None
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (recent - 1))
