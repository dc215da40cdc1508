"""Cron schedules in plain words: pure functions; what has no short wording stays the cron text."""

import re
from collections.abc import Sequence

from etlml.cron import NICKNAMES

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MOST_TIMES = 6


def cron_words(schedule: str, timezone: str | None = None) -> str:
    """A schedule in words: ``at 06:00 on weekdays, Europe/Berlin``; the text itself where words would be longer.

    Args:
        schedule: Debian cron, five fields or a nickname such as @daily.
        timezone: Named at the end; None leaves it out.
    """
    text = " ".join(schedule.split())
    words = _in_words(NICKNAMES.get(text.lower(), text)) or text
    return f"{words}, {timezone}" if timezone else words


def _in_words(text: str) -> str | None:
    fields = text.split()
    if len(fields) != 5:
        return None
    minute, hour, day, month, weekday = fields
    times = _times(minute, hour)
    days = _days(day, month, weekday)
    if times is None or days is None:
        return None
    if times.startswith("every") and days == "every day":
        return times
    return f"{times} {days}"


def _times(minute: str, hour: str) -> str | None:
    """``at 06:00``, ``every 15 minutes``, ``every hour at 05``."""
    minutes, hours = _numbers(minute, 0, 59), _numbers(hour, 0, 23)
    if minutes is None or hours is None:
        return None
    within = "" if hour == "*" else _span(hours)
    step = _step(minute, 60)
    if step:
        every = "every minute" if step == 1 else f"every {step} minutes"
        if hour == "*":
            return every
        return f"{every} {within}" if within else None
    if hour == "*" or _step(hour, 24) or (within and len(hours) > _MOST_TIMES):
        return _hourly(minutes, hour, within)
    if len(minutes) * len(hours) > _MOST_TIMES:
        return None
    return "at " + _listed([f"{h:02d}:{m:02d}" for h in hours for m in minutes])


def _hourly(minutes: Sequence[int], hour: str, within: str) -> str | None:
    if len(minutes) > 3:
        return None
    step = _step(hour, 24)
    every = f"every {step} hours" if step and step > 1 else "every hour"
    past = "" if list(minutes) == [0] else f" at {_listed([f'{m} min' for m in minutes])} past"
    return f"{every}{past}" + (f" {within}" if not step and hour != "*" else "")


def _span(hours: Sequence[int]) -> str:
    """``from 09:00 to 17:59`` for hours in a row; empty for others."""
    if not hours or list(hours) != list(range(hours[0], hours[-1] + 1)):
        return ""
    return f"from {hours[0]:02d}:00 to {hours[-1]:02d}:59"


def _days(day: str, month: str, weekday: str) -> str | None:
    months = _months(month)
    if months is None:
        return None
    if day == "*" and weekday == "*":
        return f"every day{months}"
    if weekday == "*":
        dates = _dates(day)
        if dates is None:
            return None
        return (
            f"on {dates}{months or ' of every month'}" if not months else f"on {dates} of{months.removeprefix(' in')}"
        )
    if day == "*":
        days = _weekdays(weekday)
        return None if days is None else days + months
    return None


def _dates(day: str) -> str | None:
    if day.upper() == "L":
        return "the last day"
    numbers = _numbers(day, 1, 31)
    if numbers is None or len(numbers) > 4:
        return None
    return "the " + _listed([_ordinal(number) for number in numbers])


def _months(month: str) -> str | None:
    if month == "*":
        return ""
    numbers = _numbers(month, 1, 12, [name[:3].lower() for name in _MONTHS])
    if numbers is None or len(numbers) > 6:
        return None
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f" in {_MONTHS[numbers[0] - 1]} to {_MONTHS[numbers[-1] - 1]}"
    return f" in {_listed([_MONTHS[number - 1] for number in numbers])}"


def _weekdays(weekday: str) -> str | None:
    numbers = _numbers(weekday, 0, 7, [name[:3].lower() for name in _DAYS], first=0)
    if numbers is None:
        return None
    days = sorted({number % 7 for number in numbers})
    if days == [1, 2, 3, 4, 5]:
        return "on weekdays"
    if days == [0, 6]:
        return "at weekends"
    if len(days) == 7:
        return "every day"
    order = sorted(days, key=lambda number: (number - 1) % 7)  # a week begins on Monday
    return f"on {_listed([_DAYS[number] for number in order])}"


def _numbers(field: str, low: int, high: int, names: Sequence[str] = (), *, first: int = 1) -> list[int] | None:
    """The values of a field in their order; None for what is no list of numbers, ranges and steps."""
    found: set[int] = set()
    for part in field.lower().split(","):
        for at, name in enumerate(names):
            part = re.sub(rf"\b{name}\b", str(at + first), part)
        match = re.fullmatch(r"(?:(\*)|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if match is None:
            return None
        star, start, end, step = match.groups()
        begin = low if star else int(start)
        last = high if star else int(end) if end else high if step else begin
        if not low <= begin <= last <= high or step == "0":
            return None
        found.update(range(begin, last + 1, int(step or 1)))
    return sorted(found)


def _step(field: str, size: int) -> int | None:
    """The step of ``*`` or ``*/n`` that divides the whole evenly."""
    match = re.fullmatch(r"(?:\*|0)(?:/(\d+))?", field)
    if match is None or field == "0":
        return None
    step = int(match[1] or 1)
    return step if step and size % step == 0 else None


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
