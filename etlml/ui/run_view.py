"""What a run's page shows of it: facts in a line, what surrounds it, how far its steps are."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run, Step, StepRun
from etlml.errors import NotFound
from etlml.services import Services
from etlml.ui import format as words
from etlml.ui import gantt, graph
from etlml.ui.looks import TRIGGER_LABEL

_AT_FIRST = timedelta(minutes=1)
_A_WHILE = timedelta(minutes=3)
_SHORTEST_S = 0.01
_LATE = 1.1  # times the usual


class Around(NamedTuple):
    """What surrounds a run; read once, for it hardly changes while somebody looks."""

    older: str | None
    newer: str | None
    last_success: str | None
    usual_s: dict[str, float]
    expected_s: float | None
    pipeline_there: bool


def pace(run: Run, now: datetime) -> str | None:
    """How often a run's page looks again: each second at first, more seldom the longer it takes."""
    if run.is_final:
        return None
    age = now - (run.started_at or run.created_at)
    return "1s" if age < _AT_FIRST else "2s" if age < _A_WHILE else "3s"


def around(services: Services, run: Run) -> Around:
    """Read what surrounds a run."""
    older, newer = services.run_views.beside(run)
    return Around(
        older,
        newer,
        services.run_views.last_success(run),
        services.run_views.usual_seconds(run),
        gantt.expected_duration(services.run_views.usual_durations(run.pipeline_id)),
        _is_there(services, run.pipeline_id),
    )


def _is_there(services: Services, pipeline_id: str) -> bool:
    try:
        services.pipelines.get(pipeline_id)
    except NotFound:
        return False
    return True


def steps_of(services: Services, run: Run) -> Sequence[Step]:
    """The steps as they were; a version never changes, so it is read once a session."""
    known: dict[str, Sequence[Step]] = st.session_state.setdefault("steps_of_version", {})
    key = f"{run.pipeline_id}-{run.pipeline_version}"
    if key not in known:
        known[key] = services.runs.steps_of(run)
    return known[key]


def facts(run: Run, zone: tzinfo | None) -> dict[str, str]:
    """The line of facts under a run's name; what is empty is left out."""
    moment = run.started_at or run.created_at
    took = run.duration_s
    if took is None and run.status == "running":
        took = (utc_now() - moment).total_seconds()
    trigger = TRIGGER_LABEL.get(run.trigger, run.trigger)
    return {
        "Started": words.exact(run.started_at, zone) if run.started_at else "",
        "Created": "" if run.started_at else words.exact(run.created_at, zone),
        "Took" if run.is_final else "For": words.duration(took) if took is not None else "",
        "Trigger": f"{trigger}, {run.triggered_by}" if run.triggered_by else trigger,
        "Scheduled for": words.exact(run.scheduled_for, zone) if run.scheduled_for else "",
        "Version": str(run.pipeline_version),
        "Ends with": run.until or "",
        "Attempt": str(run.attempt) if run.attempt > 1 else "",
        "Reason": run.reason or "" if run.status != "missed" else "",
    }


def step_progress(run: Run, usual_s: dict[str, float], now: datetime) -> dict[str, float]:
    """How far each step at work is, 0 to 1: as it says itself, else by the time that it usually takes."""
    return {
        step.id: gantt.step_share(step, usual_s, now)
        for step in run.steps
        if step.status == "running" and (step.progress is not None or (step.started_at and usual_s.get(step.id)))
    }


@st.cache_data(ttl=30, max_entries=200, show_spinner=False)
def usual_seconds(_services: Services, pipeline_id: str) -> dict[str, float]:
    """How long each step of a pipeline usually takes; asked once for all open tabs."""
    return _services.run_views.usual_step_seconds(pipeline_id)


def live_nodes(
    steps: Sequence[Step],
    run: Run,
    usual_s: dict[str, float],
    now: datetime,
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
) -> list[graph.Node]:
    """The canvas's nodes with what the run tells of them: rows and time so far, rows a second, progress."""
    nodes = graph.nodes_of(steps, run=run, problems=problems, progress=step_progress(run, usual_s, now))
    states = {step.id: step for step in run.steps}
    for node in nodes:
        step = states.get(node["id"])
        if step is None:
            continue
        if step.status == "running" and step.started_at is not None:
            node["rows"] = words.percent(step.progress, 0) if step.progress is not None else node["rows"]
            usual = f" of {words.duration(usual_s[step.id])}" if usual_s.get(step.id) else ""
            node["time"] = words.duration(max((now - step.started_at).total_seconds(), 0)) + usual
        elif speed := rows_a_second(step):
            node["hint"] = node["hint"] or node["summary"]
            node["summary"] = f"{words.short_count(speed)} rows/s"
    return nodes


def rows_a_second(step: StepRun) -> float | None:
    """How fast a step was; None where its time is not its own, or too short to tell."""
    took = step.duration_s
    if not step.rows_out or not took or took < _SHORTEST_S or step.fused_into:
        return None
    return step.rows_out / took


def progress_words(run: Run, waits: str | None, share: float, now: datetime, expected_s: float | None = None) -> str:
    """How far a run is and how long it usually takes, or what it waits for."""
    if run.status == "pending":
        return f"Waits {waits or 'for a worker'}"
    if run.lease_until is not None and run.lease_until < now:
        return "Its worker does not answer. A worker that is alive goes on with it, after the last finished step"
    done = sum(step.status in ("success", "cached", "skipped") for step in run.steps)
    stopping = ", is being stopped" if run.cancel_requested else against_usual(run, expected_s, now)
    return f"{done} of {words.plural(len(run.steps), 'step')} done, {words.percent(share, 0)}{stopping}"


def against_usual(run: Run, expected_s: float | None, now: datetime) -> str:
    """How a run's time so far compares with earlier runs, as the end of a sentence; empty if there were none."""
    if not expected_s:
        return ""
    late = (now - (run.started_at or now)).total_seconds() > expected_s * _LATE
    usual = words.duration(expected_s)
    return f", longer than the usual {usual}" if late else f", usually takes {usual}"
