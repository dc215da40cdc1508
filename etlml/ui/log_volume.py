"""The chart of log lines over time by level, on which a drag or a click chooses a stretch of time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from etlml.services.logs import LogFigures
from etlml.ui import place
from etlml.ui.assets_route import loader
from etlml.ui.log_range import Stretch


def chart_data(figures: LogFigures, level: str, stretch: Stretch) -> dict[str, Any]:
    """What the chart needs: the lines of that level and above. The first bucket may begin before the stretch."""
    buckets = {str((at - figures.since) // figures.width): counts for at, counts in figures.table(level).items()}
    return {
        "since": _ms(figures.since),
        "until": _ms(stretch.until),
        "width": figures.width / timedelta(milliseconds=1),
        "count": max(1, -(-(stretch.until - figures.since) // figures.width)),
        "buckets": buckets,
        "counted": _ms(figures.reached),
        "zone": str(place.zone()),
    }


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
