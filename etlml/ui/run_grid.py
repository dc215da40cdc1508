"""A pipeline's runs against its steps: a column a run, a row a step, a coloured cell for each. Pure functions."""

import html
from datetime import tzinfo

from etlml.services.run_views import GridCell, GridRun, GridStep, RunGrid
from etlml.ui import format as words
from etlml.ui.looks import TRIGGER_LABEL, TYPE_LABEL, look


def grid_html(grid: RunGrid, zone: tzinfo | None) -> str:
    """The grid, oldest run first; any cell of a column opens its run."""
    longest = max((run.duration_s or 0 for run in grid.runs), default=0) or 1
    bars = "".join(_bar(run, longest, zone) for run in grid.runs)
    heads = "".join(_head(run, zone) for run in grid.runs)
    lines = "".join(_line(step, grid.runs) for step in grid.steps)
    return (
        f'<div class="run-grid"><table><thead><tr><th>Took<small>longest {words.duration(longest)}</small></th>{bars}</tr>'
        f"<tr><th>Run</th>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _bar(run: GridRun, longest: float, zone: tzinfo | None) -> str:
    height = max(100 * (run.duration_s or 0) / longest, 6)
    style = f'style="height:{height:.0f}%" class="tone-{look(run.status).tone}"'
    return f'<td data-open="{run.id}" title="{_run_words(run, zone)}" class="bar"><div><i {style}></i></div></td>'


def _head(run: GridRun, zone: tzinfo | None) -> str:
    tone = look(run.status).tone
    mark = "!" if run.warnings else ""
    return (
        f'<td><button data-open="{run.id}" class="tone-{tone} whole" title="{_run_words(run, zone)}" '
        f'aria-label="{_run_words(run, zone)}">{mark}</button></td>'
    )


def _run_words(run: GridRun, zone: tzinfo | None) -> str:
    lines = [
        f"{look(run.status).label}, {TRIGGER_LABEL.get(run.trigger, run.trigger)}",
        words.exact(run.started_at or run.created_at, zone),
    ]
    if run.duration_s is not None:
        lines.append(f"took {words.duration(run.duration_s)}")
    if run.warnings:
        lines.append(words.plural(run.warnings, "warning"))
    return html.escape("\n".join(lines))


def _line(step: GridStep, runs: list[GridRun]) -> str:
    cells = "".join(_cell(step, cell, run) for cell, run in zip(step.cells, runs, strict=True))
    return f'<tr><th title="{TYPE_LABEL[step.type]}">{html.escape(step.name)}</th>{cells}</tr>'


def _cell(step: GridStep, cell: GridCell | None, run: GridRun) -> str:
    if cell is None:
        return "<td></td>"
    lines = [f"{step.name}: {look(cell.status).label}"]
    if cell.duration_s is not None:
        lines.append(f"took {words.duration(cell.duration_s)}")
    if cell.fused_into:
        lines.append(f"computed together with {cell.fused_into}")
    if cell.rows_out is not None:
        lines.append(words.plural(cell.rows_out, "row"))
    told = html.escape("\n".join(lines))
    tone = look(cell.status).tone
    return f'<td data-open="{run.id}" title="{told}"><i class="tone-{tone} is-{cell.status}"></i></td>'


def legend_html() -> str:
    """What the colours mean."""
    states = ("success", "cached", "failed", "skipped", "running", "pending")
    return (
        '<div class="grid-legend">'
        + "".join(
            f'<span><i class="tone-{look(state).tone} is-{state}"></i>{look(state).label}</span>' for state in states
        )
        + "</div>"
    )
