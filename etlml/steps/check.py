"""Everything about a pipeline that can be found wrong before it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etlml.clock import utc_now
from etlml.compute.schema import Schema
from etlml.cron import next_fires, zone
from etlml.documents import PipelineDraft, Step
from etlml.errors import ConfigInvalid, EtlmlError, GraphInvalid, PipelineInvalid
from etlml.settings import get_settings
from etlml.steps.base import StepConfig
from etlml.steps.graph import check_graph, execution_order, resolved_needs
from etlml.steps.registry import typed_config
from etlml.steps.templating import References, filled, run_references
from etlml.validation.step_rules import check_validations, is_on

Problem = dict[str, Any]


@dataclass(frozen=True)
class CheckedStep:
    """A step whose configuration is typed and whose place in the graph is right."""

    step: Step
    config: StepConfig
    needs: tuple[str, ...]
    validations: tuple[dict[str, Any], ...]
    """The rules on its result that are on."""
    schema: Schema | None


def check_pipeline(
    draft: PipelineDraft, params: Mapping[str, Any] | None = None, *, data_dir: Path | None = None
) -> list[Problem]:
    """What keeps this pipeline from running, as {step, field, type, message}; empty if it can run.

    Args:
        draft: The pipeline.
        params: Values of parameters that differ from the pipeline's own.
        data_dir: Where relative paths start; this installation's data folder if left out.
    """
    references = run_references(
        run_id="0" * 20, pipeline=draft.name, moment=utc_now(), params={**draft.params, **(params or {})}
    )
    return [
        *_schedule_problems(draft),
        *_step_problems(draft.steps, references, data_dir or get_settings().data_dir)[1],
    ]


def checked_steps(name: str, steps: Sequence[Step], references: References, data_dir: Path) -> list[CheckedStep]:
    """The steps in execution order with typed configurations, references filled in.

    Raises:
        PipelineInvalid: Anything is wrong with any step.
    """
    checked, problems = _step_problems(steps, references, data_dir)
    if problems:
        raise PipelineInvalid(name, problems)
    return checked


def typed_steps(steps: Sequence[Step], references: References) -> list[CheckedStep]:
    """The steps of a pipeline that ran before, as ``checked_steps`` gives them, but without looking at columns or files."""
    needs = resolved_needs(steps)
    return [
        CheckedStep(
            step,
            typed_config(step, filled(step.config, references)),
            needs[step.id],
            tuple(rule for rule in filled(step.validations, references) if is_on(rule)),
            None,
        )
        for step in execution_order(steps)
    ]


def _schedule_problems(draft: PipelineDraft) -> list[Problem]:
    try:
        zone(draft.timezone)
        if draft.schedule is not None:
            next_fires(draft.schedule, draft.timezone, utc_now(), 1)
    except ConfigInvalid as error:
        return [problem(error)]
    return []


def _step_problems(
    steps: Sequence[Step], references: References, data_dir: Path
) -> tuple[list[CheckedStep], list[Problem]]:
    if graph := check_graph(steps):
        return [], [problem(error) for error in graph]
    needs = resolved_needs(steps)
    checked: list[CheckedStep] = []
    problems: list[Problem] = []
    schemas: dict[str, Schema | None] = {}
    for step in execution_order(steps):
        schemas[step.id] = None
        try:
            config = typed_config(step, filled(step.config, references))
            _check_input_count(step, config, needs[step.id])
            schemas[step.id] = config.check({need: schemas[need] for need in needs[step.id]}, data_dir)
            rules = tuple(filled(step.validations, references))
            if rules:
                check_validations(rules, schemas[step.id])
            on = tuple(rule for rule in rules if is_on(rule))
            checked.append(CheckedStep(step, config, needs[step.id], on, schemas[step.id]))
        except EtlmlError as error:
            problems.append(problem(error, step=step.id))
    return checked, problems


def _check_input_count(step: Step, config: StepConfig, needs: Sequence[str]) -> None:
    fewest, most = config.takes_inputs
    if len(needs) < fewest:
        raise GraphInvalid(
            f"Step {step.id!r} ({step.type}) needs the result of another step. Put it after one, or name one in needs.",
            field="needs",
        )
    if most is not None and len(needs) > most:
        allowed = "takes no input" if most == 0 else f"takes at most {most} input{'s' if most > 1 else ''}"
        raise GraphInvalid(
            f"Step {step.id!r} ({step.type}) {allowed}, but needs names {len(needs)}: {', '.join(needs)}.",
            field="needs",
        )


def problem(error: EtlmlError, *, step: str | None = None) -> Problem:
    """An error as an entry of a pipeline's list of problems; a message without its step gets it."""
    step = error.details.get("step", step)
    message = error.message if step is None or repr(step) in error.message else f"Step {step!r}: {error.message}"
    return {"step": step, "field": error.details.get("field"), "type": error.type, "message": message}
