"""Numbers, sizes, durations and times as people read them. Pure functions."""

from datetime import date, datetime, tzinfo
from typing import Any

from etlml import sizes

plural = sizes.plural

MISSING = "–"
_COUNT_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k"))
_AGO_UNITS = ((31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))


def count(value: float | None) -> str:
    """A whole number with thousands separated: ``336,776``."""
    return MISSING if value is None else f"{value:,.0f}"


def short_count(value: float | None) -> str:
    """A count in few letters: ``4,096``, ``336.8k``, ``5M``."""
    if value is None:
        return MISSING
    for size, unit in _COUNT_UNITS:
        if abs(value) >= size:
            scale = 1_000 if unit == "k" else size
            return f"{value / scale:.1f}".removesuffix(".0") + unit
    return f"{value:,.0f}"


def rows(value: float | None) -> str:
    """A count of rows with its unit; empty when unknown."""
    return "" if value is None else f"{short_count(value)} row{'' if value == 1 else 's'}"


def size(value: float | None) -> str:
    """Bytes in decimal units: ``5.0 MB``."""
    return MISSING if value is None else sizes.size(value)


def duration(seconds: float | None) -> str:
    """A span of time in two units at most: ``85 ms``, ``2.4 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds is None:
        return MISSING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 0 to 1 as a percentage; whole hundreds and zeros have no decimals."""
    if share is None:
        return MISSING
    text = f"{share * 100:.{digits}f}"
    if share and not float(text):
        return f"< {10**-digits:.{digits}f} %"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def metric(value: Any) -> str:
    """One metric of a model: four significant digits, integers as they are."""
    if value is None:
        return MISSING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 else f"{value:,.4g}"


def value(item: Any, longest: int = 80) -> str:
    """Any plain value on one line, cut to ``longest`` letters."""
    if item is None:
        return MISSING
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, int | float):
        return metric(item)
    if isinstance(item, dict):
        text = ", ".join(f"{key}: {value(inner, 30)}" for key, inner in item.items() if inner not in (None, [], {}, ""))
    elif isinstance(item, list | tuple | set | frozenset):
        text = ", ".join(value(inner, 30) for inner in item)
    else:
        text = str(item)
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def cell(item: Any, longest: int = 80) -> str:
    """A value of the data as it is: no digit of a number is left out, and a year has no comma."""
    if isinstance(item, int | float) and not isinstance(item, bool):
        return str(item).removesuffix(".0")
    return value(item, longest)


def told(message: str) -> str:
    """A message for Markdown, which would make a formula of what stands between two dollar signs."""
    return message.replace("$", "\\$")


def first_line(text: str | None, longest: int = 140) -> str:
    """The first line of a message, cut to ``longest`` letters."""
    lines = (text or "").strip().splitlines()
    return value(lines[0], longest) if lines else ""


def ago(moment: datetime | None, now: datetime) -> str:
    """How far a moment lies from now: ``just now``, ``5 minutes ago``, ``in 2 hours``."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    for unit_s, unit in _AGO_UNITS:
        if abs(seconds) >= unit_s:
            number = int(abs(seconds) // unit_s)
            words = f"{number} {unit}{'' if number == 1 else 's'}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now" if seconds >= 0 else "in a moment"


def day(moment: date, *, weekday: bool = False, year: bool = True) -> str:
    """A day: ``22 Nov 2026``, ``Sun 22 Nov 2026``, ``22 Nov``. The moment of a datetime counts in its own zone."""
    name = f"{moment:%a} " if weekday else ""
    return f"{name}{moment.day} {moment:%b}" + (f" {moment:%Y}" if year else "")


def day_and_time(moment: datetime, *, weekday: bool = False, seconds: bool = False, year: bool = True) -> str:
    """A moment in its own zone: ``22 Nov 2026, 14:03``."""
    return f"{day(moment, weekday=weekday, year=year)}, {moment:%H:%M}" + (f":{moment:%S}" if seconds else "")


def exact(moment: datetime | None, zone: tzinfo | None) -> str:
    """The moment in the viewer's zone: ``22 Nov 2026, 14:03:09``."""
    return MISSING if moment is None else day_and_time(moment.astimezone(zone), seconds=True)


def clock_time(moment: datetime | None, zone: tzinfo | None) -> str:
    """Only the time of day, with milliseconds, as a log shows it."""
    if moment is None:
        return MISSING
    local = moment.astimezone(zone)
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
