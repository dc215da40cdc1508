"""From what a person wrote to a pipeline draft, with every complaint at once."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from etlml.documents import PipelineDraft
from etlml.errors import EtlmlError, InvalidInput, PipelineInvalid
from etlml.invalid import problems as complaints
from etlml.services.plain import checked_plain
from etlml.steps.check import check_pipeline

Problem = dict[str, Any]


def draft_from(document: PipelineDraft | Mapping[str, Any]) -> PipelineDraft:
    """The draft that a document describes; a draft is checked again, as fields may have been set unchecked.

    Raises:
        PipelineInvalid: A field is unknown, missing or of the wrong kind.
    """
    if isinstance(document, PipelineDraft):
        document = {name: getattr(document, name) for name in PipelineDraft.model_fields}
    elif isinstance(document, Mapping):
        checked_plain(dict(document), where="the pipeline")
    else:
        raise InvalidInput(f"A pipeline is a mapping with a name and steps, not {type(document).__name__}.")
    name = str(document.get("name") or "without a name")[:100]
    try:
        return PipelineDraft.model_validate(dict(document))
    except ValidationError as error:
        found = [_problem(complaint, document) for complaint in complaints(error, PipelineDraft)]
        raise PipelineInvalid(name, found) from None


def checked_draft(document: PipelineDraft | Mapping[str, Any]) -> PipelineDraft:
    """The draft that a document describes, if it can run.

    Raises:
        PipelineInvalid: It cannot; ``details['problems']`` says everything that is wrong.
    """
    draft = draft_from(document)
    if problems := check_pipeline(draft):
        raise PipelineInvalid(draft.name, problems)
    return draft


def problems_of(document: PipelineDraft | Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with a document, as {step, field, type, message}; empty if it can run."""
    try:
        return check_pipeline(draft_from(document))
    except PipelineInvalid as error:
        problems: list[Problem] = error.details["problems"]
        return problems
    except EtlmlError as error:
        return [{"step": None, "field": None, "type": error.type, "message": error.message}]


def _problem(complaint: Mapping[str, str], document: Mapping[str, Any]) -> Problem:
    step = _step_at(complaint["field"], document)
    message = complaint["message"][:1].upper() + complaint["message"][1:]
    return {
        "step": step,
        "field": complaint["field"],
        "type": "ConfigInvalid",
        "message": f"Step {step!r}: {complaint['message']}" if step else message,
    }


def _step_at(field: str, document: Mapping[str, Any]) -> str | None:
    """The id of the step that ``steps[2].config`` speaks of, if it has one."""
    if not field.startswith("steps["):
        return None
    try:
        step = document["steps"][int(field[6 : field.index("]")])]
        return str(step["id"])
    except (LookupError, TypeError, ValueError):
        return None
