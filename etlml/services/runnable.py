"""Whether a pipeline can run, asked before anything is queued."""

from collections.abc import Mapping
from typing import Any

from etlml.documents import Pipeline
from etlml.errors import PipelineInvalid, StateConflict
from etlml.steps.check import check_pipeline
from etlml.steps.graph import upto


def refuse_unrunnable(pipeline: Pipeline, params: Mapping[str, Any], *, until: str | None = None) -> None:
    """Return if the pipeline can run with these parameters; ``until`` is the step to end with.

    Raises:
        PipelineInvalid: A step that would run has a problem.
        StateConflict: It has no steps.
    """
    draft = pipeline.draft()
    if until is not None:
        draft = draft.model_copy(update={"steps": upto(draft.steps, until)})
    if problems := check_pipeline(draft, params):
        raise PipelineInvalid(pipeline.name, problems)
    if not pipeline.steps:
        raise StateConflict(f"Pipeline {pipeline.name!r} has no steps yet. Add one before you run it.")
