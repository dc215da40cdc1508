"""Which columns each step of a draft gives, as far as that can be told without running it."""

from collections.abc import Mapping
from pathlib import Path

from etlml.clock import utc_now
from etlml.compute.schema import Schema
from etlml.documents import PipelineDraft
from etlml.errors import EtlmlError
from etlml.steps.graph import check_graph, execution_order, resolved_needs
from etlml.steps.registry import typed_config
from etlml.steps.templating import filled, run_references


def output_columns(draft: PipelineDraft, data_dir: Path) -> dict[str, Schema | None]:
    """Each step's columns; None where a step is wrong or its columns are known only once it runs."""
    found: dict[str, Schema | None] = {step.id: None for step in draft.steps}
    if check_graph(draft.steps):
        return found
    references = run_references(run_id="0" * 20, pipeline=draft.name, moment=utc_now(), params=draft.params)
    needs = resolved_needs(draft.steps)
    for step in execution_order(draft.steps):
        try:
            config = typed_config(step, filled(step.config, references))
            found[step.id] = config.check({need: found[need] for need in needs[step.id]}, data_dir)
        except (EtlmlError, KeyError, ValueError, StopIteration):
            found[step.id] = None
    return found


def input_columns(draft: PipelineDraft, step_id: str, outputs: Mapping[str, Schema | None]) -> list[str]:
    """The names of the columns that come into a step: those of its first input first, without doubles."""
    names = dict[str, None]()
    for need in resolved_needs(draft.steps).get(step_id, ()):
        schema = outputs.get(need)
        names.update(dict.fromkeys(schema.names if schema else ()))
    return list(names)
