"""Debian cron with time zones: when a schedule fires. Pure functions of their arguments."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from etlml.errors import ConfigInvalid, did_you_mean

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name; ConfigInvalid for an unknown one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones(), shown=0)
        mend = hint if hint.startswith("Did") else "Write it like Europe/Berlin or UTC."
        raise ConfigInvalid(f"There is no time zone {name!r}. {mend}", field="timezone") from None


def fires(expression: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """The moments, aware and in UTC, at which a schedule fires after ``after``, endless but for expressions that end.

    Daylight saving follows Debian cron: jobs at fixed hours run once a day on both changes, hourly ones by elapsed time.

    Raises:
        ConfigInvalid: The expression or the time zone cannot be used.
    """
    text = NICKNAMES.get(expression.strip().lower(), expression.strip())
    if len(text.split()) != 5:
        raise ConfigInvalid(
            f"Schedule {expression!r} needs five fields: minute, hour, day of month, month, day of week; "
            "or one of @hourly @daily @weekly @monthly @yearly.",
            field="schedule",
        )
    try:
        moments = CronSim(text, after.astimezone(zone(timezone)))
    except CronSimError as error:
        raise ConfigInvalid(
            f"Schedule {expression!r} cannot be read: {error}. The fields are minute, hour, day of month, month, day of week.",
            field="schedule",
        ) from None
    return (moment.astimezone(UTC) for moment in moments)


def next_fires(expression: str, timezone: str, after: datetime, count: int = 5) -> list[datetime]:
    """The next ``count`` fires after ``after``; fewer if the schedule ends before."""
    return list(islice(fires(expression, timezone, after), count))


def fires_between(
    expression: str, timezone: str, start: datetime, end: datetime, *, limit: int = 10_000
) -> list[datetime]:
    """All fires with start < fire <= end, at most ``limit``."""
    found: list[datetime] = []
    for moment in fires(expression, timezone, start):
        if moment > end or len(found) >= limit:
            break
        found.append(moment)
    return found
