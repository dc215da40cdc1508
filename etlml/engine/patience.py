"""Waiting out a database that is away for a moment: a restart of MongoDB must not fail a run."""

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from etlml.errors import Unavailable

T = TypeVar("T")
LONGEST_OUTAGE_S = 120.0


def patiently(
    action: Callable[[], T], *, longest_s: float = LONGEST_OUTAGE_S, sleep: Callable[[float], None] = time.sleep
) -> T:
    """Call ``action``, again and again while MongoDB is away; Unavailable once that lasted ``longest_s`` seconds."""
    return Retrying(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_exponential_jitter(multiplier=0.1, max=2.0),
        stop=stop_after_delay(longest_s),
        sleep=sleep,
        reraise=True,
    )(action)
