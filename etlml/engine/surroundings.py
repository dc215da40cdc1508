"""Where a run takes place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from etlml.clock import Clock, utc_now
from etlml.compute.children import Children
from etlml.compute.spare import SpareDatabase
from etlml.documents import Run, Validation
from etlml.engine.journal import Journal
from etlml.engine.reuse import Have
from etlml.steps.base import Tracker
from etlml.steps.check import CheckedStep


@dataclass(frozen=True)
class Surroundings:
    """What a run needs from its worker.

    Attributes:
        runs_dir: A folder a run is made here.
        data_dir: Where relative paths of the pipeline start.
        memory_bytes: Memory cap of the run.
        children: The worker's child processes.
        tracker: Gives the tracker of one run's step: ``tracker(run, step id)``.
        log: ``log(run, step id or None, level, message)``.
        keep_validation: Stores an evaluation: ``keep_validation(run, step id, validation)``.
        find_results: What need not be computed: ``find_results(run, checked steps, journal)``.
        keep_result: Called for each step that succeeded: ``keep_result(run, checked step, journal)``.
        databases: Opens the run's database.
        now: The clock.
    """

    runs_dir: Path
    data_dir: Path
    memory_bytes: int
    children: Children
    tracker: Callable[[Run, str], Tracker]
    log: Callable[[Run, str | None, str, str], None]
    keep_validation: Callable[[Run, str, Validation], None]
    find_results: Callable[[Run, Sequence[CheckedStep], Journal], Have]
    keep_result: Callable[[Run, CheckedStep, Journal], None]
    databases: SpareDatabase
    now: Clock = utc_now
