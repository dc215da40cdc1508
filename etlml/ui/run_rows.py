"""Runs, pipelines and their fires as rows of a list."""

from collections.abc import Sequence
from typing import Any

from etlml.documents import AuditEntry, Pipeline, Run
from etlml.ui import format as words
from etlml.ui.lists import Column, row, when
from etlml.ui.looks import TRIGGER_LABEL, look

RUN_COLUMNS = (
    Column("name", "Run", "name"),
    Column("status", "State", "status"),
    Column("trigger", "Trigger", "dim"),
    Column("started", "Started", "time"),
    Column("took", "Took", "number"),
    Column("rows", "Rows", "number"),
    Column("warnings", "Warnings", "number"),
)
PIPELINE_COLUMNS = (
    Column("name", "Pipeline", "name"),
    Column("status", "State", "status"),
    Column("history", "Last runs", "history"),
    Column("last", "Last run", "time"),
    Column("took", "Took", "number"),
    Column("next", "Next fire", "time"),
    Column("steps", "Steps", "number"),
    Column("tags", "Tags", "tags"),
    Column("do", "", "actions"),
)
_NOUNS = {
    "run": "a run",
    "pipeline": "a pipeline",
    "model": "a model",
    "experiment": "an experiment",
    "api_key": "an API key",
    "backfill": "a backfill",
    "schedule": "a schedule",
    "connection": "a connection",
    "channel": "a channel",
    "validation": "a validation",
    "webhook": "a webhook",
    "user": "a person",
    "settings": "the settings",
    "secret": "a secret",
}


def status_cell(status: str, *, warnings: int = 0) -> dict[str, Any]:
    """A state, with its warnings."""
    label = look(status).label + (f" · {words.plural(warnings, 'warning')}" if warnings else "")
    return {"text": status, "label": label}


def run_row(run: Run, *, named: bool = True) -> dict[str, Any]:
    """A run; without its pipeline's name on the pipeline's own page."""
    title = run.pipeline_name if named else f"Run {run.id[-6:]}"
    sub = (
        words.first_line(run.error.message, 110)
        if run.error
        else (run.reason or f"by {run.triggered_by}" if run.triggered_by else "")
    )
    out = max((step.rows_out or 0 for step in run.steps), default=0)
    return row(
        run.id,
        name={"text": title or run.id, "sub": sub, "title": run.error.message if run.error else title},
        status=status_cell(run.status),
        trigger=TRIGGER_LABEL.get(run.trigger, run.trigger),
        started=when(run.started_at or run.scheduled_for or run.created_at),
        took=words.duration(run.duration_s) if run.duration_s is not None else "",
        rows=words.short_count(out) if out else "",
        warnings=str(run.warnings) if run.warnings else "",
    )


def history_cell(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The last runs as small bars, oldest first, as high as they took long."""
    longest = max((run.duration_s or 0 for run in runs), default=0) or 1
    return [
        {
            "status": run.status,
            "size": (run.duration_s or 0) / longest,
            "title": f"{look(run.status).label}"
            + (f" in {words.duration(run.duration_s)}" if run.duration_s is not None else ""),
        }
        for run in reversed(runs)
    ]


def pipeline_row(
    pipeline: Pipeline, runs: Sequence[Run], next_fire: str | None, *, may_run: bool = True
) -> dict[str, Any]:
    """A pipeline with its last runs and its next fire."""
    active = pipeline.status in ("running", "pending")
    last = runs[0] if runs else None
    return row(
        pipeline.id,
        name={"text": pipeline.name, "sub": pipeline.description},
        status=_pipeline_status(pipeline),
        history=history_cell(runs),
        last=when(pipeline.last_run),
        took=words.duration(last.duration_s) if last and last.duration_s is not None else "",
        next=None if pipeline.options.paused else next_fire,
        steps=str(len(pipeline.steps)),
        tags=list(pipeline.tags[:3]),
        do=[
            {
                "key": "run",
                "label": "Run",
                "title": f"Run {pipeline.name} now",
                "disabled": active or not may_run or not pipeline.steps,
            }
        ],
    )


def _pipeline_status(pipeline: Pipeline) -> dict[str, Any]:
    """The state of the last run, and whether the pipeline is paused."""
    cell = status_cell(pipeline.status)
    if not pipeline.options.paused:
        return cell
    label = "Paused" if pipeline.status == "idle" else f"{cell['label']}, paused"
    return cell | {"label": label, "title": "Neither its schedule nor its triggers start it."}


def activity_row(entry: AuditEntry) -> dict[str, Any]:
    """Who did what, in words."""
    about = str(entry.details.get("pipeline") or entry.details.get("name") or entry.key)
    return row(
        entry.id,
        name={"text": f"{entry.actor} {entry.action} {_NOUNS.get(entry.kind, entry.kind)}", "sub": about},
        at=when(entry.ts),
    )
