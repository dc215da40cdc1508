"""Runs as they enter the queue."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from etlml.documents import Pipeline, Run, StepRun, TriggerKind
from etlml.steps.graph import execution_order


def new_run(
    pipeline: Pipeline,
    *,
    trigger: TriggerKind,
    now: datetime,
    params: Mapping[str, Any] | None = None,
    scheduled_for: datetime | None = None,
    reason: str | None = None,
    triggered_by: str = "",
) -> Run:
    """A run of the pipeline as it is now, with its steps in execution order; ``params`` replace the pipeline's own."""
    return Run(
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        pipeline_version=pipeline.version,
        trigger=trigger,
        triggered_by=triggered_by,
        scheduled_for=scheduled_for,
        reason=reason,
        params={**pipeline.params, **(params or {})},
        priority=pipeline.priority,
        max_running=pipeline.max_running,
        timeout_s=pipeline.timeout_s,
        created_at=now,
        steps=[StepRun(id=step.id, name=step.name, type=step.type) for step in execution_order(pipeline.steps)],
    )


def run_id_for(*cause: str) -> str:
    """The id of the one run that a cause may start: whoever tries to queue it a second time finds it taken."""
    return hashlib.sha256("\n".join(cause).encode()).hexdigest()[:20]
