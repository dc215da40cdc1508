"""The chart of log lines over time by level, on which a drag or a click chooses a stretch of time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from etlml.ui import place
from etlml.ui.assets_route import loader
from etlml.ui.log_range import Stretch


def chart_data(
    found: Sequence[Mapping[str, Any]], stretch: Stretch, buckets: int, *, rounded: bool = True
) -> dict[str, Any]:
    """What the chart needs, from a histogram's ``[{"at", "level", "lines"}]`` of about so many buckets.

    Rounded, buckets of minutes and hours begin at whole ones, so that the first may begin before the stretch.
    """
    since, width = grid(stretch, buckets) if rounded else (stretch.since, (stretch.until - stretch.since) / buckets)
    table: dict[int, dict[str, int]] = {}
    for each in found:
        counts = table.setdefault(round((each["at"] - since) / width), {})
        counts[each["level"]] = counts.get(each["level"], 0) + each["lines"]
    return {
        "since": _ms(since),
        "until": _ms(stretch.until),
        "width": width / timedelta(milliseconds=1),
        "count": max(1, -(-(stretch.until - since) // width)),
        "buckets": {str(index): counts for index, counts in table.items()},
        "zone": str(place.zone()),
    }


def grid(stretch: Stretch, buckets: int) -> tuple[datetime, timedelta]:
    """Where the first bucket begins, and how long each is: as the store rounds them."""
    width = max((stretch.until - stretch.since) / buckets, timedelta(milliseconds=1))
    unit = next((unit for unit in (timedelta(hours=1), timedelta(minutes=1)) if width >= unit), None)
    if unit is None:
        return stretch.since, width
    since = stretch.since.astimezone(UTC).replace(second=0, microsecond=0)
    return (since.replace(minute=0) if unit == timedelta(hours=1) else since), unit * -(-width // unit)


def draw(key: str, data: Mapping[str, Any]) -> Stretch | None:
    """Draw it; the stretch that the viewer has just chosen."""
    result = loader("volume")(key=key, data=dict(data), on_zoom_change=_nothing)
    zoom = getattr(result, "zoom", None) if result is not None else None
    if not zoom:
        return None
    since, until = (datetime.fromtimestamp(zoom[name] / 1000, UTC) for name in ("since", "until"))
    return Stretch(since, until, True) if since < until else None


def _nothing() -> None:
    """Streamlit learns by a callback's name which values a component sends."""


def _ms(at: datetime) -> float:
    return at.timestamp() * 1000
