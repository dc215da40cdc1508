"""Time, as an argument: whatever needs "now" takes a ``Clock``. And new ids."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time, aware, UTC, cut to whole milliseconds (what MongoDB keeps)."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def new_id() -> str:
    """A fresh identifier: 8 hexadecimal digits of the time in seconds, then 12 random ones, so ids sort by age."""
    return f"{int(datetime.now(UTC).timestamp()):08x}{secrets.token_hex(6)}"
