"""The columns of each step's result, where they can be told: from the files, from a look into them, from the last run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from etlml.compute.names import literal
from etlml.compute.schema import Schema
from etlml.compute.scratch import scratch
from etlml.compute.session import Session
from etlml.connectors.base import Reading
from etlml.connectors.sniffing import described, sniffer
from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.steps.base import StepConfig
from etlml.steps.extract import ExtractConfig

MOST_BYTES = 64 << 20  # a larger database or workbook is not read only to see its columns


@dataclass(frozen=True)
class LastRun:
    """What a run of the same version left: its steps' results."""

    run: Run | None = None
    runs_dir: Path = field(default_factory=Path)

    def path(self, step: str, part: int | None = None) -> Path | None:
        """The file of a step's result, or of one of the parts that it was computed in; None if it is not there."""
        if self.run is None or step not in (each.id for each in self.run.steps):
            return None
        kept = self.run.step(step).checkpoint
        if kept is None:
            return None
        path = self.runs_dir / kept
        if part is not None:
            path = path.with_name(f"{step}.part{part}.parquet")
        return path if path.is_file() else None

    def schema(self, step: str, part: int | None = None) -> Schema | None:
        """The columns of such a file."""
        path = self.path(step, part)
        return None if path is None else described(f"SELECT * FROM read_parquet({literal(str(path))})")

    def rows(self, path: Path, sql: str) -> list[tuple[object, ...]]:
        """The rows of a query over a file, which it calls ``kept``."""
        with sniffer() as cursor:
            return cursor.execute(f"WITH kept AS (FROM read_parquet({literal(str(path))})) {sql}").fetchall()


def result_schema(
    step: str, config: StepConfig, inputs: Mapping[str, Schema | None], data_dir: Path, last: LastRun
) -> Schema | None:
    """The columns of a step's result; None where only a run can tell."""
    found = config.check(inputs, data_dir)
    if found is None:
        found = last.schema(step)
    if found is None and isinstance(config, ExtractConfig):
        found = _looked_up(step, config, data_dir)
    return found


def _looked_up(step: str, config: ExtractConfig, data_dir: Path) -> Schema | None:
    """Read a small source for its columns; what is wrong with it will be said when it is written down."""
    if _bytes(config.source.paths(data_dir)) > MOST_BYTES:
        return None
    with scratch("known") as reading_folder:
        files, folders = config.source.reach(data_dir)
        with Session(reading_folder, memory_bytes=256 << 20, readable=files, folders=folders, width=1) as session:
            reading = Reading(
                step, reading_folder, data_dir, session, 256 << 20, lambda: False, lambda _level, _message: None
            )
            try:
                return config.source.read(reading).schema
            except EtlmlError:
                return None


def _bytes(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.exists())
