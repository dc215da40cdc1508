"""Which columns each step of a draft gives, as far as that can be told without running it."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from etlml.clock import utc_now
from etlml.compute.schema import Schema
from etlml.documents import PipelineDraft, Step
from etlml.errors import EtlmlError
from etlml.steps.graph import check_graph, execution_order, resolved_needs
from etlml.steps.ops import AnyOp, Op
from etlml.steps.ops.base import output_schema
from etlml.steps.registry import typed_config
from etlml.steps.templating import References, filled, run_references
from etlml.ui import drafted

_ANY_OP: TypeAdapter[Op] = TypeAdapter(AnyOp)


def output_columns(draft: PipelineDraft, data_dir: Path) -> dict[str, Schema | None]:
    """Each step's columns; None where a step is wrong or its columns are known only once it runs."""
    found: dict[str, Schema | None] = {step.id: None for step in draft.steps}
    if check_graph(draft.steps):
        return found
    references = _references(draft)
    needs = resolved_needs(draft.steps)
    for step in execution_order(draft.steps):
        try:
            config = typed_config(step, filled(step.config, references))
            found[step.id] = config.check({need: found[need] for need in needs[step.id]}, data_dir)
        except (EtlmlError, KeyError, ValueError, StopIteration):
            found[step.id] = None
    return found


def before_ops(draft: PipelineDraft, step: Step, inputs: Mapping[str, Schema | None]) -> list[list[str]]:
    """For each op of a transform the columns that come into it, as far as they can be told; the list ends where they can't."""
    schema = next(iter(inputs.values()), None)
    found = list[list[str]]()
    for item in drafted.items(step.config, "ops"):
        if schema is None:
            break
        found.append(list(schema.names))
        try:
            op = _ANY_OP.validate_python(filled(item, _references(draft)))
            schema = output_schema(op, schema, inputs) if op.enabled else schema
        except (EtlmlError, ValueError):
            break
    return found


def _references(draft: PipelineDraft) -> References:
    return run_references(run_id="0" * 20, pipeline=draft.name, moment=utc_now(), params=draft.params)


def input_columns(draft: PipelineDraft, step_id: str, outputs: Mapping[str, Schema | None]) -> list[str]:
    """The names of the columns that come into a step: those of its first input first, without doubles."""
    names = dict[str, None]()
    for need in resolved_needs(draft.steps).get(step_id, ()):
        schema = outputs.get(need)
        names.update(dict.fromkeys(schema.names if schema else ()))
    return list(names)
