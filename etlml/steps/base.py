"""What every step type is: a typed configuration that can be checked, and executed on relations."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from etlml.compute.children import Children
from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.documents import Validation

INPUT = "input"  # the name by which user SQL calls the first input


class Tracker(Protocol):
    """Where a training reports; the engine keeps it in MongoDB."""

    def start(self, *, name: str, parameters: dict[str, Any], data: dict[str, Any], project: str = "default") -> str:
        """Record an experiment as running; its id."""

    def point(self, experiment_id: str, key: str, value: float, step: int) -> None:
        """Record one value of one metric while training goes on."""

    def complete(self, experiment_id: str, outcome: dict[str, Any], *, register_as: str | None) -> dict[str, Any]:
        """Record metrics, artifacts and environment; register the model if asked. Returns {experiment_id, model?, version?}."""

    def fail(self, experiment_id: str, error: Exception) -> None:
        """Record that the training failed or was cancelled."""


@dataclass(frozen=True)
class StepContext:
    """The world as a step sees it.

    Attributes:
        step_id: The step's id.
        load_id: The same on every attempt of this step in this run: a sink that has it already holds the rows.
        folder: The run's folder; a step may write files there whose names start with its id.
        data_dir: Where relative paths start.
        session: The run's DuckDB session; inputs are views in it.
        children: Runs what must be stoppable (Python code, training) in child processes.
        tracker: Where a training reports.
        log: ``log(level, message)`` writes to the run's log.
        cancelled: Whether the run was cancelled; long Python loops ask it.
        memory_bytes: Memory cap of a child process.
        checkpoint: Computes a lazy relation into a Parquet file of the run and returns the materialised one.
        most_rows: A preview reads at most so many rows of what it copies from a source; None reads all.
    """

    step_id: str
    load_id: str
    folder: Path
    data_dir: Path
    session: Session
    children: Children
    tracker: Tracker
    log: Callable[[str, str], None]
    cancelled: Callable[[], bool]
    memory_bytes: int
    checkpoint: Callable[[Relation], Relation]
    most_rows: int | None = None


@dataclass(frozen=True)
class StepResult:
    """What a step gave.

    Attributes:
        relation: Its result; a load, a validation and a training pass their input on.
        metrics: Small facts for the run document, e.g. ``{"rows_written": 120, "path": "..."}``.
        bytes: How much was written to a sink, if anything was.
        validation: The evaluation of a validate step, for the runner to store.
        warnings: How many things deserve a look although the step succeeded.
    """

    relation: Relation
    metrics: dict[str, Any] = field(default_factory=dict)
    bytes: int | None = None
    validation: Validation | None = None
    warnings: int = 0


@dataclass(frozen=True)
class Files:
    """What a step reads of the world outside the run's folder: files, and folders with all that lies in them."""

    reads: Sequence[Path] = ()
    folders: Sequence[Path] = ()


class StepConfig(BaseModel, ABC):
    """The typed configuration of one step.

    A pipeline goes through ``check`` when it is saved and again when it runs; nothing is written before all steps passed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    takes_inputs: ClassVar[tuple[int, int | None]] = (1, 1)
    """Fewest and most inputs; None is no limit."""
    scans_inputs: ClassVar[bool] = True
    """Whether execute reads its inputs' rows itself, so that they must be materialised; False: it only builds SQL on them."""

    @abstractmethod
    def check(self, inputs: Mapping[str, Schema | None], data_dir: Path | None = None) -> Schema | None:
        """Find what is wrong without reading or writing data.

        Args:
            inputs: Each input's id and columns, in the order of ``needs``; None where the columns are not known yet.
            data_dir: Where relative paths start; without it no file is looked at.

        Returns:
            The result's columns, or None where they cannot be told without the data.

        Raises:
            EtlmlError: What is wrong, where, and the mend.
        """

    @abstractmethod
    def execute(self, inputs: Mapping[str, Relation], context: StepContext) -> StepResult:
        """Do the step's work on its inputs (by id, in the order of ``needs``)."""

    def files(self, data_dir: Path) -> Files:
        """The files outside the run's folder that ``execute`` has DuckDB read within the session."""
        return Files()

    def fingerprint(self, data_dir: Path) -> str | None:
        """What of the outside world the result depends on (files' paths, sizes, times), as text.

        None when it cannot be told: the step is then never taken from the cache.
        """
        return ""
