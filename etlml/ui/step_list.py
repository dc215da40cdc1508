"""The steps of a run as rows of a list."""

from pathlib import PurePath
from typing import Any

from etlml.documents import StepRun
from etlml.ui import format as words
from etlml.ui import run_view
from etlml.ui.lists import Column, row
from etlml.ui.looks import TYPE_LABEL, look

MOST_FIGURES = 2
COLUMNS = (
    Column("name", "Step", "name"),
    Column("type", "Type", "dim"),
    Column("status", "State", "status"),
    Column("rows_in", "Rows in", "number"),
    Column("rows_out", "Rows out", "number"),
    Column("size", "Size", "number"),
    Column("took", "Took", "number"),
    Column("speed", "Rows/s", "number"),
    Column("warnings", "Warnings", "number"),
    Column("attempts", "Attempts", "number"),
)


def step_row(step: StepRun) -> dict[str, Any]:
    """One step with its figures."""
    took = step.duration_s
    speed = run_view.rows_a_second(step)
    return row(
        step.id,
        name={
            "text": step.name or step.id,
            "sub": _note(step),
            "title": step.error.message if step.error else step.name,
        },
        type=TYPE_LABEL[step.type],
        status={"text": step.status, "label": look(step.status).label},
        rows_in=words.count(step.rows_in) if step.rows_in is not None else "",
        rows_out=words.count(step.rows_out) if step.rows_out is not None else "",
        size=words.size(step.bytes) if step.bytes else "",
        took="" if took is None or step.fused_into else words.duration(took),
        speed=words.short_count(speed) if speed else "",
        warnings=str(step.warnings) if step.warnings else "",
        attempts=str(step.attempts) if step.attempts > 1 else "",
    )


def _note(step: StepRun) -> str:
    if step.error:
        return words.first_line(step.error.message, 90)
    if step.fused_into:
        return f"computed together with {step.fused_into}"
    return ", ".join(_figure(key, value) for key, value in list(_figures(step).items())[:MOST_FIGURES])


def _figures(step: StepRun) -> dict[str, str | int | float]:
    """What a step tells of itself, without what its row says anyway."""
    return {
        key: value
        for key, value in step.metrics.items()
        if isinstance(value, str | int | float)
        and not isinstance(value, bool)
        and not (key == "rows_written" and value == step.rows_out)
    }


def _figure(key: str, value: str | int | float) -> str:
    name = key.replace("_", " ")
    if key == "score" and isinstance(value, int | float):
        return f"{name} {words.percent(value)}"
    if key == "path":
        return f"to {PurePath(str(value)).name}"
    return f"{name} {words.value(value, 40)}"
