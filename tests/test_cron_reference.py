"""2,000 random schedules against an independent reference, over two years with their changes of the clock.

The reference spells out what Debian's cron does: a job whose minute or hour starts with ``*`` follows real time, so it
runs 25 hours' worth on the long day; a job at fixed hours runs once for each local time, when the clock jumps over
that time right after the jump, and when the hour comes twice only the first time.
"""

import random
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from etlml.cron import fires, fires_between

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
CHANGES = {  # days on which the clock changes
    "UTC": ["2026-06-01"],
    "Asia/Kolkata": ["2027-02-27"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31"],
    "America/New_York": ["2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07"],
    "Australia/Sydney": ["2026-04-05", "2026-10-04", "2027-04-04", "2027-10-03"],
}
BOUNDS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
FEW = 300  # a schedule with fewer fires is compared over the whole two years


def random_field(chance: random.Random, low: int, high: int) -> str:
    kind = chance.choice(["star", "star", "one", "one", "list", "range", "step", "range-step"])
    a, b = sorted(chance.sample(range(low, high + 1), 2))
    return {
        "star": "*",
        "one": str(a),
        "list": f"{a},{b}",
        "range": f"{a}-{b}",
        "step": f"*/{chance.randint(2, max(2, high // 2))}",
        "range-step": f"{a}-{b}/{chance.randint(1, 5)}",
    }[kind]


def random_expression(chance: random.Random) -> str:
    return " ".join(random_field(chance, *bounds) for bounds in BOUNDS.values())


def values(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start, end = (low, high) if span == "*" else (int(first), int(last or first))
        found.update(range(start, end + 1, int(step or 1)))
    return found


class Reference:
    """When a schedule fires, worked out from the rules."""

    def __init__(self, expression: str, zone: str) -> None:
        fields = expression.split()
        self.minutes, self.hours, self.days, self.months, weekdays = (
            values(field, *bounds) for field, bounds in zip(fields, BOUNDS.values(), strict=True)
        )
        self.weekdays = {day % 7 for day in weekdays}
        self.any_day, self.any_weekday = fields[2].startswith("*"), fields[4].startswith("*")
        self.follows_real_time = fields[0].startswith("*") or fields[1].startswith("*")
        self.zone = ZoneInfo(zone)

    def on_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date and by_weekday if self.any_day or self.any_weekday else by_date or by_weekday

    def between(self, start: datetime, end: datetime) -> list[datetime]:
        """All fires with start < fire <= end."""
        found = self.by_real_time(start, end) if self.follows_real_time else self.by_local_time(start, end)
        return sorted({moment for moment in found if start < moment <= end})

    def by_local_time(self, start: datetime, end: datetime) -> Iterator[datetime]:
        day = start.replace(tzinfo=None, hour=0, minute=0) - timedelta(days=2)
        while day <= end.replace(tzinfo=None) + timedelta(days=2):
            if self.on_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        yield self.first_real(day.replace(hour=hour, minute=minute))
            day += timedelta(days=1)

    def first_real(self, local: datetime) -> datetime:
        """The moment of a local time: the first of two, or the end of the gap that swallowed it."""
        moment = local.replace(tzinfo=self.zone).astimezone(UTC)
        while moment.astimezone(self.zone).replace(tzinfo=None) != local:
            local += timedelta(minutes=1)
            moment = local.replace(tzinfo=self.zone).astimezone(UTC)
        return moment

    def by_real_time(self, start: datetime, end: datetime) -> Iterator[datetime]:
        hours, clocks = local_hours(self.zone.key)
        for at in range(bisect_left(hours, start) - 1, bisect_left(hours, end) + 1):
            clock = clocks[at]
            if clock.hour not in self.hours and (clock + timedelta(minutes=59)).hour not in self.hours:
                continue
            for minute in range(60) if clock.minute else sorted(self.minutes):
                shown = clock + timedelta(minutes=minute)
                if shown.minute in self.minutes and shown.hour in self.hours and self.on_day(shown):
                    yield hours[at] + timedelta(minutes=minute)


@lru_cache
def local_hours(zone: str) -> tuple[list[datetime], list[datetime]]:
    """Every hour of the two years and a little more, in UTC and as clocks show it; they all change at full hours of UTC."""
    first = START - timedelta(days=3)
    hours = [first + timedelta(hours=hour) for hour in range(int((END - START) / timedelta(hours=1)) + 24 * 6)]
    return hours, [hour.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for hour in hours]


def windows(expression: str, zone: str) -> list[tuple[datetime, datetime]]:
    """The two years whole where that is quick, else the days around every change of the clock."""
    if sum(1 for _ in islice(until(fires(expression, zone, START), END), FEW)) < FEW:
        return [(START, END)]
    days = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in CHANGES[zone]]
    return [(day - timedelta(days=1), day + timedelta(days=2)) for day in days]


def until(moments: Iterator[datetime], end: datetime) -> Iterator[datetime]:
    for moment in moments:
        if moment > end:
            return
        yield moment


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_2000_random_schedules_agree_with_the_rules_of_debian_cron(part: int) -> None:
    chance = random.Random(part)
    for _ in range(500):
        expression, zone = random_expression(chance), chance.choice(sorted(CHANGES))
        for start, end in windows(expression, zone):
            expected = Reference(expression, zone).between(start, end)
            assert fires_between(expression, zone, start, end, limit=10**6) == expected, (expression, zone)


@pytest.mark.slow
def test_random_schedules_agree_with_croniter_where_the_clock_does_not_change() -> None:
    """Where ``*/2`` stands for the day, Debian's cron joins day and weekday by "and"; croniter does not."""
    chance = random.Random(4)
    for expression in (random_expression(chance) for _ in range(400)):
        if "*/" in expression.split()[2] + expression.split()[4]:
            continue
        expected = croniter(expression, START)
        for moment in islice(until(fires(expression, "UTC", START), END), 100):
            assert moment == expected.get_next(datetime), expression
