"""Small documents for tests of the use cases."""

from typing import Any

from etlml.documents import PipelineDraft, Run, StepRun
from etlml.steps.graph import execution_order

ROWS = [{"id": 1, "x": 1.5}, {"id": 2, "x": None}, {"id": 3, "x": 4.0}]


def a_document(**changes: Any) -> dict[str, Any]:
    """A pipeline that can run: three rows, of which those with x stay."""
    document: dict[str, Any] = {
        "name": "small",
        "params": {"least": 1, "label": "a", "on": True},
        "steps": [
            {"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": ROWS}}},
            {"id": "kept", "type": "transform", "config": {"ops": [{"op": "filter", "where": "x >= ${params.least}"}]}},
            {
                "id": "saved",
                "type": "load",
                "config": {"sink": {"kind": "file", "path": "out.parquet"}, "mode": "overwrite"},
            },
        ],
    }
    return document | changes


def a_finished_run(draft: PipelineDraft, statuses: dict[str, str], **changes: Any) -> Run:
    """A failed run of a draft with these states of its steps."""
    steps = [
        StepRun.model_validate(
            {"id": step.id, "type": step.type, "status": statuses[step.id], "checkpoint": f"old/{step.id}.parquet"}
        )
        for step in execution_order(draft.steps)
    ]
    return Run.model_validate({"pipeline_id": "p", "status": "failed", "steps": steps} | changes)
