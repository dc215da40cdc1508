"""Pipelines as plain Python scripts that need DuckDB and scikit-learn, and not this platform."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etlml.compute.schema import Schema
from etlml.documents import Pipeline, PipelineDraft, Step
from etlml.errors import EtlmlError, StateConflict
from etlml.services.drafts import checked_draft
from etlml.services.params import merged_params
from etlml.services.pipelines import PipelineService
from etlml.services.script.document import ScriptStep, document
from etlml.services.script.extract import extract_body
from etlml.services.script.known import LastRun, result_schema
from etlml.services.script.marks import FAMILIES, Marks, marked_references, real_references
from etlml.services.script.outputs import load_body, train_body
from etlml.services.script.pieces import Body, Value, call
from etlml.services.script.transform import TransformScript
from etlml.services.script.validate import validate_body, written_rules
from etlml.settings import Settings
from etlml.steps.base import StepConfig
from etlml.steps.extract import ExtractConfig
from etlml.steps.graph import consumers, execution_order, resolved_needs
from etlml.steps.load import LoadConfig
from etlml.steps.registry import typed_config
from etlml.steps.templating import References, filled
from etlml.steps.train import TrainConfig
from etlml.steps.transform import TransformConfig
from etlml.steps.validate import ValidateConfig
from etlml.store import Store
from etlml.validation.step_rules import is_on, typed_rules

_SECRET = re.compile(r"\$\{\s*secret\.([A-Za-z_][\w.-]*)\s*\}")
_PARAM = re.compile(r"\$\{\s*params\.([A-Za-z_][\w.-]*)\s*\}")


class ScriptService:
    """Writes pipelines down as scripts."""

    def __init__(self, store: Store, pipelines: PipelineService, environment: Settings) -> None:
        self._store = store
        self._pipelines = pipelines
        self._environment = environment

    def of(self, pipeline: str | PipelineDraft, params: Mapping[str, Any] | None = None) -> str:
        """A pipeline as one Python script that does the same without the platform.

        Args:
            pipeline: A stored pipeline, its name or id, or a draft that is not saved.
            params: Values in place of the pipeline's own.

        Raises:
            PipelineInvalid: The pipeline cannot run.
            StateConflict: A step cannot be written down, or not before the pipeline ran once; the message says which and why.
        """
        found = self._pipelines.get(pipeline) if isinstance(pipeline, str) else pipeline
        draft = checked_draft(found.draft() if isinstance(found, Pipeline) else found)
        last = self._last_run(found) if isinstance(found, Pipeline) else LastRun()
        values = merged_params(draft.params, params)
        writer = _Writer(draft, values, self._environment.data_dir, last)
        steps = list(writer.steps())
        version = found.version if isinstance(found, Pipeline) else None
        return document(draft, version, values, steps, writer.fixed, self._environment.data_dir)

    def _last_run(self, pipeline: Pipeline) -> LastRun:
        run = self._store.runs.latest_of([pipeline.id]).get(pipeline.id)
        is_same = run is not None and run.pipeline_version == pipeline.version
        whole = self._store.runs.get(run.id) if run is not None and is_same else None
        return LastRun(whole, self._environment.runs_dir)


@dataclass
class _Writer:
    """Writes the steps of one pipeline."""

    draft: PipelineDraft
    params: dict[str, Any]
    data_dir: Path
    last: LastRun
    fixed: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, Schema | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.needs = resolved_needs(self.draft.steps)
        self.takers = consumers(self.needs)
        self.by_id = {step.id: step for step in self.draft.steps}

    def steps(self) -> Iterator[ScriptStep]:
        """Each step's part of the script, in the order in which they run."""
        real = real_references(self.params, self.draft.name)
        for step in execution_order(self.draft.steps):
            config = typed_config(step, filled(step.config, real))
            inputs = {need: self.schemas[need] for need in self.needs[step.id]}
            self.schemas[step.id] = result_schema(step.id, config, inputs, self.data_dir, self.last)
            body, marks = self._chosen(step, config, real)
            yield ScriptStep(step, config, self.needs[step.id], body.code(marks), body.imports)

    def _chosen(self, step: Step, config: StepConfig, real: References) -> tuple[Body, Marks]:
        """The step with its references filled in when the script runs; with the values of now where they must be fixed."""
        plain = self._body(step, config, config, real)
        text = repr((step.config, step.validations))
        if "${" not in text:
            return plain, Marks(real, ())
        for family in range(FAMILIES):
            marks = marked_references(self.params, self.draft.name, _SECRET.findall(text), family=family)
            try:
                marked = self._body(
                    step, typed_config(step, filled(step.config, marks.references)), config, marks.references
                )
            except EtlmlError:
                continue
            if marked.plain(marks) == plain.plain():
                return marked, marks
        if _SECRET.search(text):
            raise StateConflict(f"Step {step.id!r} uses a secret where a script cannot fill one in.", step=step.id)
        if "${run." in text:
            raise StateConflict(
                f"Step {step.id!r} uses the run's id or time where a script cannot fill it in.", step=step.id
            )
        for name in _PARAM.findall(text):
            self.fixed.setdefault(name, f"step {step.id} depends on it")
        return plain, Marks(real, ())

    def _body(self, step: Step, config: StepConfig, real: StepConfig, references: References) -> Body:
        """What the step does, its own validations included."""
        body = self._work(step, config, real)
        if any(map(is_on, step.validations)):
            rows = self.needs[step.id][0] if step.type == "load" else step.id
            rules = typed_rules(filled(step.validations, references))
            statement = call(
                "check_rules", Value(rows), Value(rows), Value(written_rules(step.id, rules, rows, self.schemas[rows]))
            )
            body.statements.insert(0 if step.type == "load" else len(body.statements), statement)
        return body

    def _work(self, step: Step, config: StepConfig, real: StepConfig) -> Body:
        needs, how = self.needs[step.id], "view" if self._is_fused(step) else "table"
        if isinstance(config, ExtractConfig) and isinstance(real, ExtractConfig):
            return extract_body(step.id, config, real, self.schemas[step.id], how, self.data_dir)
        if isinstance(config, TransformConfig):
            inputs = {need: self.schemas[need] for need in needs}
            is_kept = not self._is_fused(self.by_id[needs[0]])
            return TransformScript(step.id, config, inputs, how, self.last).written(is_kept=is_kept)
        if isinstance(config, ValidateConfig):
            return validate_body(step.id, config, needs[0], self.schemas[needs[0]])
        if isinstance(config, LoadConfig):
            return load_body(step.id, config, needs[0])
        if isinstance(config, TrainConfig):
            return train_body(step.id, config, needs[0])
        raise StateConflict(f"Step {step.id!r} is of a type that a script cannot do: {step.type}.", step=step.id)

    def _is_fused(self, step: Step) -> bool:
        """Whether the step is computed within the query of the only step that takes its rows, as in a run."""
        takers: Sequence[str] = self.takers[step.id]
        if len(takers) != 1 or any(map(is_on, step.validations)) or step.on_failure == "continue":
            return False
        return (
            step.type in ("extract", "transform") and self.by_id[takers[0]].type == "transform" and self._is_lazy(step)
        )

    def _is_lazy(self, step: Step) -> bool:
        """Whether the step itself is one query over files or tables."""
        if step.type == "transform":
            active = [op for op in step.config.get("ops", []) if op.get("enabled", True)]
            return not (active and active[-1].get("op") == "python")
        source = step.config.get("source", {})
        return (
            source.get("kind") == "file"
            and source.get("format") != "excel"
            and not str(source.get("path")).endswith(".xlsx")
        )
