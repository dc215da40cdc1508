"""When each step of a run worked: lanes over time, as HTML that a live page can redraw."""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from etlml.documents import Run, StepRun
from etlml.ui import format as words
from etlml.ui.looks import look

NEARLY = 0.97  # what has not ended is never shown as whole
_LEAST_WEIGHT = 0.02  # of all steps' time, for each step: those that take none are steps too


class Lane(NamedTuple):
    """One step's bar: start and length as shares of the run's time (0 to 1)."""

    step_id: str
    name: str
    status: str
    start: float
    length: float
    took_s: float | None
    fused_into: str | None


def lanes(run: Run, now: datetime) -> tuple[list[Lane], float]:
    """The lanes of a run in the order of its steps, and the seconds that the whole width stands for."""
    here = [step for step in run.steps if not _is_from_before(step, run)]
    begun = [step.started_at for step in here if step.started_at]
    start = min([*begun, run.started_at] if run.started_at else begun, default=None)
    if start is None:
        return [Lane(step.id, step.name or step.id, step.status, 0, 0, None, None) for step in run.steps], 0.0
    ended = [step.finished_at for step in here if step.finished_at]
    end = max([*ended, *([run.finished_at] if run.finished_at else [])], default=start) if run.is_final else now
    span = max((end - start).total_seconds(), 1e-3)
    found = []
    for step in run.steps:
        if step.started_at is None or _is_from_before(step, run):
            found.append(Lane(step.id, step.name or step.id, step.status, 0, 0, None, step.fused_into))
            continue
        until = step.finished_at or end
        took = (until - step.started_at).total_seconds()
        offset = (step.started_at - start).total_seconds() / span
        found.append(
            Lane(
                step.id,
                step.name or step.id,
                step.status,
                min(max(offset, 0), 1),
                min(max(took / span, 0), 1),
                took,
                step.fused_into,
            )
        )
    return found, span


def _is_from_before(step: StepRun, run: Run) -> bool:
    """Whether a step holds the times of an earlier run, whose result it took over."""
    return (
        step.status == "cached"
        and step.started_at is not None
        and run.started_at is not None
        and step.started_at < run.started_at
    )


def gantt_html(
    run: Run, now: datetime, *, zone: tzinfo | None = None, usual_s: Mapping[str, float] | None = None
) -> str:
    """The lanes with an axis of seconds.

    Args:
        zone: The viewer's, for the exact times on hover.
        usual_s: How long each step usually takes; a thin line marks it.
    """
    found, span = lanes(run, now)
    usual, steps = usual_s or {}, {step.id: step for step in run.steps}
    lines = "".join(_line(lane, steps[lane.step_id], span, zone, usual.get(lane.step_id)) for lane in found)
    return f'<div class="gantt">{_axis(span)}{lines}</div>'


def _axis(span: float) -> str:
    if not span:
        return ""
    marks = "".join(
        f"<span>{words.duration(span * share) if share else '0'}</span>" for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return f'<div class="line axis"><span></span><div>{marks}</div><span></span></div>'


def _line(lane: Lane, step: StepRun, span: float, zone: tzinfo | None, usual: float | None) -> str:
    tone = look(lane.status).tone
    hint = html.escape(hover(lane, step, zone, usual))
    fused = " class='fused'" if lane.fused_into else ""
    bar = f'<i{fused} style="left:{lane.start:.2%};width:{lane.length:.2%}"></i>' if lane.took_s is not None else ""
    if bar and usual and span and not lane.fused_into:
        bar += f'<u style="left:{min(lane.start + usual / span, 1):.2%}"></u>'
    took = (
        ("reused" if lane.status == "cached" else "")
        if lane.took_s is None
        else f"in {html.escape(lane.fused_into)}"
        if lane.fused_into
        else words.duration(lane.took_s)
    )
    name = html.escape(lane.name)
    return (
        f'<div class="line tone-{tone}" title="{hint}"><span><i class="dot {tone}"></i>{name}</span>'
        f'<div class="lane">{bar}</div><span class="took">{took}</span></div>'
    )


def hover(lane: Lane, step: StepRun, zone: tzinfo | None, usual: float | None) -> str:
    """What a lane says when pointed at: state, exact times, how long it usually takes, rows."""
    lines = [f"{lane.name}: {look(lane.status).label}"]
    if lane.fused_into:
        lines.append(f"computed together with {lane.fused_into}")
    if lane.status == "cached" and lane.took_s is None:
        lines.append("taken over from an earlier run")
    elif step.started_at is not None:
        until = words.clock_time(step.finished_at, zone) if step.finished_at else "now"
        lines.append(f"{words.clock_time(step.started_at, zone)} to {until}")
    if lane.took_s is not None and not lane.fused_into:
        compared = f", usually {words.duration(usual)}" if usual else ""
        lines.append(f"took {words.duration(lane.took_s)}{compared}")
    if step.rows_out is not None:
        lines.append(words.plural(step.rows_out, "row"))
    return "\n".join(lines)


def totals(run: Run) -> dict[str, int]:
    """How many steps are in which state."""
    counts: dict[str, int] = {}
    for step in run.steps:
        counts[step.status] = counts.get(step.status, 0) + 1
    return counts


def progress(run: Run, usual_s: Mapping[str, float], now: datetime) -> float:
    """A run's progress, 0 to 1: each step counts as long as it usually takes; all alike where nobody knows.

    A step that takes longer than usual stands still just before its end, so that the rest is still seen to be ahead.
    """
    if run.is_final:
        return 1.0
    wanted = [step for step in run.steps if not (step.status == "skipped" and step.reason)]  # not those beyond its end
    least = sum(usual_s.get(step.id, 0.0) for step in wanted) * _LEAST_WEIGHT or 1.0
    weights = [usual_s.get(step.id, 0.0) + least for step in wanted]
    done = sum(weight * step_share(step, usual_s, now) for step, weight in zip(wanted, weights, strict=True))
    return NEARLY * done / sum(weights) if weights else 0.0


def step_share(step: StepRun, usual_s: Mapping[str, float], now: datetime) -> float:
    """How far a step is, 0 to 1: as it says itself while it computes, else by the time that it usually takes."""
    if step.status in ("success", "cached", "skipped", "failed"):
        return 1.0
    if step.status == "running" and step.progress is not None:
        return min(step.progress, NEARLY)
    usual = usual_s.get(step.id)
    if step.status != "running" or step.started_at is None or not usual:
        return 0.0
    return min((now - step.started_at).total_seconds() / usual, NEARLY)


def expected_duration(durations: Sequence[float]) -> float | None:
    """The median of earlier durations."""
    if not durations:
        return None
    ordered = sorted(durations)
    return ordered[len(ordered) // 2]
