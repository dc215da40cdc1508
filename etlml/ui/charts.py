"""Charts: one look for Plotly's, built only when drawn (the library takes a second to import), and small ones as HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from etlml.ui import format as words
from etlml.ui.looks import RUN_ORDER, colour, look

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_POINTS = 1000
COLOURS = (
    "#5b67e8",
    "#0d9488",
    "#d97706",
    "#db2777",
    "#8b5cf6",
    "#3b82f6",
    "#65a30d",
    "#64748b",
)  # seen well on light and on dark
CONFIG = {"displayModeBar": False, "displaylogo": False}


def thinned(xs: Sequence[float], ys: Sequence[float], most: int = MOST_POINTS) -> tuple[list[float], list[float]]:
    """At most about ``most`` points of a curve that keep its extremes: the lowest and highest of each stretch."""
    if len(xs) <= most:
        return list(xs), list(ys)
    stretch = max(2, -(-len(xs) * 2 // most))
    kept: list[int] = []
    for start in range(0, len(xs), stretch):
        window = range(start, min(start + stretch, len(xs)))
        kept += sorted({min(window, key=ys.__getitem__), max(window, key=ys.__getitem__)})
    kept = sorted({0, *kept, len(xs) - 1})
    return [xs[i] for i in kept], [ys[i] for i in kept]


def days_between(first: date, last: date) -> list[str]:
    """Each day as ``2026-11-22``, both ends included."""
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def runs_by_day(by_day: Sequence[Mapping[str, Any]], days: Sequence[str]) -> dict[str, list[int]]:
    """Runs per status for each of the days, zeros filled in; statuses without any are left out."""
    counts = {(str(each["day"]), str(each["status"])): int(each["runs"]) for each in by_day}
    series = {status: [counts.get((day, status), 0) for day in days] for status in RUN_ORDER}
    return {status: values for status, values in series.items() if any(values)}


def runs_spec(series: Mapping[str, Sequence[int]], days: Sequence[str]) -> dict[str, Any]:
    """The stacked bars of runs over time, as an ECharts option."""
    labels = [day[11:] or words.day(date.fromisoformat(day), year=False) for day in days]  # of an hour its time
    return {
        "grid": {"left": 34, "right": 8, "top": 12, "bottom": 24},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "category", "data": labels, "axisTick": {"show": False}, "axisLine": {"show": False}},
        "yAxis": {"type": "value", "minInterval": 1, "splitNumber": 3},
        "series": [
            {
                "name": look(status).label,
                "type": "bar",
                "stack": "runs",
                "data": list(values),
                "itemStyle": {"color": colour(status)},
                "barMaxWidth": 26,
            }
            for status, values in series.items()
        ],
        "animation": False,
    }


def durations_spec(groups: Sequence[Mapping[str, Any]], most: int = 6) -> dict[str, Any]:
    """Mean and longest duration by pipeline, as an ECharts option."""
    shown = [each for each in groups if each.get("mean_s") is not None][:most][::-1]
    return {
        "grid": {"left": 8, "right": 24, "top": 4, "bottom": 22, "containLabel": True},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "valueFormatter": "%.1f s"},
        "xAxis": {"type": "value", "axisLabel": {"formatter": "{value} s"}, "splitNumber": 3},
        "yAxis": {
            "type": "category",
            "data": [str(each.get("pipeline_name") or each["pipeline_id"]) for each in shown],
            "axisTick": {"show": False},
            "axisLine": {"show": False},
            "axisLabel": {"width": 110, "overflow": "truncate"},
        },
        "series": [
            {
                "name": "mean",
                "type": "bar",
                "data": [round(float(each["mean_s"]), 3) for each in shown],
                "barMaxWidth": 12,
            },
            {
                "name": "longest",
                "type": "scatter",
                "symbol": "rect",
                "symbolSize": [3, 13],
                "itemStyle": {"color": colour(None)},
                "data": [round(float(each["max_s"] or 0), 3) for each in shown],
            },
        ],
        "animation": False,
    }


def _styled(figure: Figure, height: int) -> Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 10, "b": 8},
        legend={"orientation": "h", "y": 1.08, "x": 0},
        hoverlabel={"font_size": 12},
        bargap=0.35,
        colorway=COLOURS,
    )
    return figure


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, height: int = 260, x: str = "step"
) -> Figure:
    """Lines of one metric over steps, by name."""
    from plotly import graph_objects as go

    figure = go.Figure()
    for name, (xs, ys) in series.items():
        some_x, some_y = thinned(xs, ys)
        mode = "lines+markers" if len(some_x) <= 40 else "lines"
        figure.add_scatter(
            x=some_x, y=some_y, name=name, mode=mode, hovertemplate="%{y:.5g}<extra>" + html.escape(name) + "</extra>"
        )
    figure.update_xaxes(title=x)
    figure.update_layout(showlegend=len(series) > 1, hovermode="x unified")
    return _styled(figure, height)


def confusion(
    labels: Sequence[Any], matrix: Sequence[Sequence[float]], *, dark: bool = False, height: int = 320
) -> Figure:
    """A confusion matrix: shares of each true class in colour, counts in figures."""
    from plotly import graph_objects as go

    names = [str(label) for label in labels]
    shares = [[cell / sum(line) if sum(line) else 0 for cell in line] for line in matrix]
    texts = [[f"{words.short_count(cell)}" for cell in line] for line in matrix]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            text=texts,
            texttemplate="%{text}",
            zmin=0,
            zmax=1,
            colorscale=[[0, "#1a2033"], [1, "#6f79f5"]] if dark else [[0, "#f3f4fd"], [1, "#5b67e8"]],
            showscale=False,
            hovertemplate="true %{y}, predicted %{x}: %{text} (%{z:.1%})<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    figure.update_xaxes(title="predicted", type="category", showgrid=False)
    figure.update_yaxes(title="true", type="category", autorange="reversed", showgrid=False)
    return _styled(figure, height)


def roc(false_rates: Sequence[float], true_rates: Sequence[float], *, height: int = 320) -> Figure:
    """A ROC curve over the line of chance."""
    from plotly import graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "width": 1, "color": "#94a3b8"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=list(false_rates),
        y=list(true_rates),
        mode="lines",
        fill="tozeroy",
        line={"color": COLOURS[0]},
        hovertemplate="%{y:.1%} found at %{x:.1%} false alarms<extra></extra>",
    )
    figure.update_xaxes(title="false positive rate", range=[0, 1])
    figure.update_yaxes(title="true positive rate", range=[0, 1.02])
    figure.update_layout(showlegend=False)
    return _styled(figure, height)


def importances(weights: Mapping[str, float], *, most: int = 15, height: int | None = None) -> Figure:
    """Feature importances, the largest first."""
    from plotly import graph_objects as go

    top = sorted(weights.items(), key=lambda pair: -abs(pair[1]))[:most][::-1]
    figure = go.Figure(
        go.Bar(
            x=[weight for _, weight in top],
            y=[name for name, _ in top],
            orientation="h",
            hovertemplate="%{y}: %{x:.4f}<extra></extra>",
        )
    )
    return _styled(figure, height or max(160, 60 + 22 * len(top)))


def bars(pairs: Mapping[str, float], *, height: int = 240) -> Figure:
    """Plain bars by name."""
    from plotly import graph_objects as go

    return _styled(go.Figure(go.Bar(x=list(pairs), y=list(pairs.values()))), height)


def parallel(
    rows: Sequence[Mapping[str, Any]], dimensions: Sequence[str], colour_by: str, *, height: int = 340
) -> Figure:
    """Experiments as lines through their parameters and metrics."""
    from plotly import graph_objects as go

    axes = []
    for name in dimensions:
        values = [row.get(name) for row in rows]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            axes.append({"label": name, "values": values})
            continue
        ticks = sorted({str(value) for value in values})
        axes.append(
            {
                "label": name,
                "values": [ticks.index(str(v)) for v in values],
                "tickvals": list(range(len(ticks))),
                "ticktext": ticks,
            }
        )
    shades = [float(row.get(colour_by) or 0) for row in rows]
    line = {"color": shades, "colorscale": [[0, "#c7cbf5"], [1, "#4f5bd5"]], "showscale": False}
    figure = go.Figure(go.Parcoords(line=line, dimensions=axes))
    figure = _styled(figure, height)
    figure.update_layout(margin={"l": 60, "r": 60, "t": 50, "b": 20})
    return figure


def trend(days: Sequence[str], scores: Sequence[float], *, height: int = 150) -> Figure:
    """Data-quality scores by day, in percent."""
    from plotly import graph_objects as go

    figure = go.Figure(
        go.Scatter(
            x=[words.day(date.fromisoformat(day), year=False) for day in days],
            y=[score * 100 for score in scores],
            mode="lines+markers",
            hovertemplate="%{x}: %{y:.1f} %<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", nticks=8)
    figure.update_yaxes(ticksuffix=" %", rangemode="normal")
    return _styled(figure, height)
