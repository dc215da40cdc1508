"""What a run writes about itself."""

from collections.abc import Mapping
from typing import Any

from etlml.clock import utc_now
from etlml.documents import Run, StepRun
from etlml.engine.journal import Journal
from etlml.errors import StateConflict, Unavailable


class Writes:
    """Takes what is written, or fails."""

    def __init__(self) -> None:
        self.taken: list[dict[int, Any]] = []
        self.fails: Exception | None = None

    def set_steps(self, run_id: str, attempt: int, worker: str, changes: Mapping[int, Mapping[str, Any]]) -> None:
        if self.fails is not None:
            raise self.fails
        self.taken.append({position: dict(each) for position, each in changes.items()})


def a_journal() -> tuple[Journal, Writes]:
    steps = [
        StepRun(id="a", type="extract", status="success"),
        StepRun(id="b", type="transform", status="running"),
    ]
    writes = Writes()
    return Journal(Run(pipeline_id="p", worker="w", status="running", steps=steps), writes, utc_now), writes  # type: ignore[arg-type]


def test_progress_is_written_when_it_changes_and_of_steps_at_work_alone() -> None:
    journal, writes = a_journal()
    for share in (0.5, 0.504, 0.52):
        journal.progressed({"a": share, "b": share})
    assert writes.taken == [{1: {"progress": 0.5}}, {1: {"progress": 0.52}}]
    journal.progressed({})
    assert writes.taken[-1] == {1: {"progress": None}}
    journal.progressed({})
    assert len(writes.taken) == 3


def test_a_step_that_ends_has_no_progress_any_more() -> None:
    journal, _ = a_journal()
    journal.progressed({"b": 0.5})
    journal.ended("b", status="success")
    assert journal.step("b").progress is None


def test_progress_that_cannot_be_written_goes_with_the_next_write() -> None:
    journal, writes = a_journal()
    for writes.fails in (Unavailable("MongoDB is away."), StateConflict("The lease is lost.")):
        journal.progressed({"b": 0.5})
    writes.fails = None
    journal.write()
    assert writes.taken == [{1: {"progress": 0.5}}]
