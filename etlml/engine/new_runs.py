"""Runs as they enter the queue."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from etlml.clock import new_id
from etlml.documents import Pipeline, Run, Step, StepRun, TriggerKind
from etlml.errors import ConfigInvalid, did_you_mean
from etlml.steps.graph import execution_order, upto


def new_run(
    pipeline: Pipeline,
    *,
    trigger: TriggerKind,
    now: datetime,
    params: Mapping[str, Any] | None = None,
    scheduled_for: datetime | None = None,
    reason: str | None = None,
    triggered_by: str = "",
    until: str | None = None,
    run_id: str | None = None,
) -> Run:
    """A run of the pipeline as it is now, with its steps in execution order; ``params`` replace the pipeline's own.

    Args:
        run_id: Its id; left out: a fresh one.

    Raises:
        ConfigInvalid: ``until`` names no step.
    """
    steps = [StepRun(id=step.id, name=step.name, type=step.type) for step in execution_order(pipeline.steps)]
    if until is not None:
        steps = ended_with(until, pipeline.steps, steps)
    return Run(
        id=run_id or new_id(),
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        pipeline_version=pipeline.version,
        trigger=trigger,
        triggered_by=triggered_by,
        scheduled_for=scheduled_for,
        reason=reason,
        until=until,
        params={**pipeline.params, **(params or {})},
        priority=pipeline.priority,
        max_running=pipeline.max_running,
        timeout_s=pipeline.timeout_s,
        created_at=now,
        steps=steps,
    )


def ended_with(until: str, steps: Sequence[Step], runs: Sequence[StepRun]) -> list[StepRun]:
    """The step runs of a run that ends with one step: all that it does not need are skipped from the start.

    Raises:
        ConfigInvalid: ``until`` names no step.
    """
    ids = [step.id for step in steps]
    if until not in ids:
        raise ConfigInvalid(f"There is no step {until!r} to run to. {did_you_mean(until, ids)}", field="until")
    wanted = {step.id for step in upto(steps, until)}
    reason = f"Not needed: the run was asked to end with {until!r}."
    return [
        step
        if step.id in wanted
        else StepRun(id=step.id, name=step.name, type=step.type, status="skipped", reason=reason)
        for step in runs
    ]


def run_id_for(*cause: str) -> str:
    """The id of the one run that a cause may start: whoever tries to queue it a second time finds it taken."""
    return hashlib.sha256("\n".join(cause).encode()).hexdigest()[:20]
