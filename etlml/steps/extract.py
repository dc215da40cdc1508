"""The extract step: rows come in from a source."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.connectors.base import Reading
from etlml.connectors.sources import AnySource
from etlml.steps.base import Files, StepConfig, StepContext, StepResult


class ExtractConfig(StepConfig):
    """Take rows from a source: files, a database, or rows written here."""

    takes_inputs: ClassVar[tuple[int, int | None]] = (0, 0)
    scans_inputs: ClassVar[bool] = False

    source: AnySource

    def check(self, inputs: Mapping[str, Schema | None], data_dir: Path | None = None) -> Schema | None:
        return self.source.check(data_dir) if data_dir is not None else None

    def execute(self, inputs: Mapping[str, Relation], context: StepContext) -> StepResult:
        reading = Reading(
            name=context.step_id,
            folder=context.folder,
            data_dir=context.data_dir,
            session=context.session,
            memory_bytes=context.memory_bytes,
            cancelled=context.cancelled,
            log=context.log,
            most_rows=context.most_rows,
        )
        relation = self.source.read(reading)
        files = self.source.paths(context.data_dir)
        return StepResult(relation, metrics={"files": len(files)} if len(files) > 1 else {})

    def files(self, data_dir: Path) -> Files:
        files, folders = self.source.reach(data_dir)
        return Files(files, folders)

    def fingerprint(self, data_dir: Path) -> str | None:
        return self.source.fingerprint(data_dir)
