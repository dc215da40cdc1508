"""Runs by day: months as weeks of cells, each with its counts stacked by state. Pure functions."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from etlml.services.run_views import DayCount
from etlml.ui import format as words
from etlml.ui.looks import RUN_ORDER, look

MONTHS = 3
_YEARS = range(1970, 2200)  # no run is of another; the ends of what a date can be have no neighbours
_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def months_until(last: date, count: int = MONTHS) -> list[date]:
    """The first days of some months, the last of which holds ``last``."""
    found = [last.replace(day=1)]
    while len(found) < count:
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return found


def month_after(month: date) -> date:
    """The first day of the following month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def month_of(text: str, today: date) -> date:
    """``2026-11`` as its first day; the month of today for anything else, or for what lies ahead."""
    return min(day_of(f"{text}-01") or today, today).replace(day=1)


def day_of(text: str) -> date | None:
    """``2026-11-22`` as a day; None for anything else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def bounds(day: date, zone: tzinfo, days: int = 1) -> tuple[datetime, datetime]:
    """The begin of a day in a time zone, and of the day after it."""
    return (
        datetime.combine(day, time(), zone),
        datetime.combine(day + timedelta(days=days), time(), zone),
    )


def calendar_html(months: Sequence[date], counts: Sequence[DayCount], today: date) -> str:
    """The months side by side; a day with runs can be opened."""
    by_day: dict[str, dict[str, int]] = {}
    for each in counts:
        by_day.setdefault(each.day, {})[each.status] = each.runs
    most = max((sum(day.values()) for day in by_day.values()), default=0)
    return f'<div class="months">{"".join(_month(month, by_day, most, today) for month in months)}</div>'


def _month(month: date, by_day: Mapping[str, Mapping[str, int]], most: int, today: date) -> str:
    heads = "".join(f"<span>{name}</span>" for name in _WEEKDAYS)
    blank = "<i></i>" * month.weekday()
    days = "".join(
        _day(month.replace(day=number), by_day, most, today)
        for number in range(1, calendar.monthrange(month.year, month.month)[1] + 1)
    )
    total = sum(sum(found.values()) for day, found in by_day.items() if day.startswith(f"{month:%Y-%m}"))
    return (
        f"<section><h4>{month:%B %Y}<small>{words.plural(total, 'run')}</small></h4>"
        f'<div class="days heads">{heads}</div><div class="days">{blank}{days}</div></section>'
    )


def _day(day: date, by_day: Mapping[str, Mapping[str, int]], most: int, today: date) -> str:
    counts = by_day.get(day.isoformat(), {})
    kinds = "today" if day == today else "ahead" if day > today else ""
    if not counts:
        return f'<div class="day {kinds}"><b>{day.day}</b></div>'
    total, ordered = sum(counts.values()), [status for status in RUN_ORDER if counts.get(status)]
    told = ", ".join(f"{counts[status]:,} {look(status).label.lower()}" for status in ordered)
    bar = "".join(f'<i class="tone-{look(status).tone}" style="flex-grow:{counts[status]}"></i>' for status in ordered)
    return (
        f'<div class="day has {kinds}" role="button" tabindex="0" data-open="{day.isoformat()}" '
        f'title="{day:%A}, {words.day(day)}: {told}"><b>{day.day}</b><em>{words.short_count(total)}</em>'
        f'<span style="width:{max(100 * total / most, 18):.0f}%">{bar}</span></div>'
    )
