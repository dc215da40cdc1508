"""The load step: rows go out to a sink, all or nothing, and once for each run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.connectors.base import Mode, Writing
from etlml.connectors.sinks import AnySink
from etlml.steps.base import StepConfig, StepContext, StepResult


class LoadConfig(StepConfig):
    """Bring the input's rows to a sink, and pass them on.

    ``append`` adds them, ``overwrite`` puts them in the place of what is there, ``merge`` puts each in the place of the
    row with the same keys, or adds it.
    """

    takes_inputs: ClassVar[tuple[int, int | None]] = (1, 1)

    sink: AnySink
    mode: Mode = "overwrite"
    keys: list[str] = Field(default_factory=list, description="merge: the columns by which rows are told apart.")

    @model_validator(mode="after")
    def _keys_for_merge(self) -> Self:
        if self.mode == "merge" and not self.keys:
            raise ValueError("mode merge needs keys: the columns by which rows are told apart")
        if self.mode != "merge" and self.keys:
            raise ValueError(f"keys are for mode merge only; leave them out with mode {self.mode}")
        return self

    @property
    def scans_inputs(self) -> bool:  # type: ignore[override]
        """Whether the rows must have been computed before; a file can be written while they are."""
        return not self.sink.takes_lazy(self.mode)

    def check(self, inputs: Mapping[str, Schema | None], data_dir: Path | None = None) -> Schema | None:
        schema = next(iter(inputs.values()))
        if data_dir is not None:
            self.sink.check(data_dir, schema, self.mode)
        if schema is not None:
            schema.require(self.keys)
        return schema

    def execute(self, inputs: Mapping[str, Relation], context: StepContext) -> StepResult:
        relation = next(iter(inputs.values()))
        if relation.is_lazy and self.scans_inputs:
            relation = context.checkpoint(relation)
        written = self.sink.write(self._writing(relation, context))
        for warning in written.warnings:
            context.log("WARNING", warning)
        if written.already_there:
            context.log(
                "INFO", f"An earlier attempt had finished this load into {written.place}; nothing was written twice."
            )
        metrics: dict[str, Any] = {"rows_written": written.rows, "path": written.place}
        return StepResult(relation, metrics=metrics, bytes=written.bytes, warnings=len(written.warnings))

    def fingerprint(self, data_dir: Path) -> str | None:
        """None: a load is done again in every run, whatever an earlier run did."""
        return None

    def _writing(self, relation: Relation, context: StepContext) -> Writing:
        return Writing(
            relation=relation,
            load_id=context.load_id,
            mode=self.mode,
            keys=tuple(self.keys),
            name=context.step_id,
            folder=context.folder,
            data_dir=context.data_dir,
            session=context.session,
            memory_bytes=context.memory_bytes,
            cancelled=context.cancelled,
            log=context.log,
        )
