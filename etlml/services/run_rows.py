"""The rows that the steps of runs gave: those that were kept, else computed again."""

from pathlib import Path
from typing import Any

from etlml.documents import Run, StepRun
from etlml.engine.rederiving import kept_file
from etlml.errors import NotFound, StateConflict
from etlml.services.rows import MOST_ROWS, parquet_page
from etlml.services.rows_again import RowsAgain, Window
from etlml.settings import Settings
from etlml.store import Store


class RunRows:
    """Looks into what steps gave; safe to use from many threads."""

    def __init__(self, store: Store, environment: Settings) -> None:
        self._store = store
        self._environment = environment
        self._again = RowsAgain(store, environment)

    def page(self, run_id: str, step_id: str, *, limit: int = 100, offset: int = 0) -> dict[str, Any]:
        """Rows that a step gave: ``{"columns": [{name, type}], "rows": [{...}], "total", "basis"}``.

        ``basis`` says in a sentence from what they were computed again, where the step kept none; else it is empty.

        Raises:
            NotFound: The run has no such step.
            StateConflict: The step has no rows, or kept none and would give others by now; the message says why.
            StepTimeout: Computing them again takes too long.
        """
        run, step, kept = self._with_rows(run_id, step_id)
        if kept is None:
            return self._again.page(run, step.id, Window(min(limit, MOST_ROWS), offset))
        return parquet_page(kept, limit=limit, offset=offset) | {"basis": ""}

    def all(self, run_id: str, step_id: str, folder: Path) -> Path:
        """A Parquet file with all rows that a step gave: the kept one, else one in ``folder``; raises what ``page`` raises."""
        run, step, kept = self._with_rows(run_id, step_id)
        return kept or self._again.all(run, step.id, folder)

    def kept(self, run_id: str, step_id: str) -> Path:
        """The Parquet file in which a step kept all its rows.

        Raises:
            NotFound: The run has no such step, or its checkpoint has been removed.
            StateConflict: The step kept no rows of its own; the message says why.
        """
        step = step_of(self._store.runs.get(run_id), step_id)
        if step.checkpoint is None:
            raise StateConflict(_why_no_rows(step), step=step_id, status=step.status, fused_into=step.fused_into)
        path = self._environment.runs_dir / step.checkpoint
        if not path.is_file():
            raise NotFound("checkpoint", path.name)
        return path

    def _with_rows(self, run_id: str, step_id: str) -> tuple[Run, StepRun, Path | None]:
        """A step that gave rows, its run, and its file if it kept one."""
        run = self._store.runs.get(run_id)
        step = step_of(run, step_id)
        if step.status not in ("success", "cached") and step.checkpoint is None:
            raise StateConflict(_why_no_rows(step), step=step_id, status=step.status)
        return run, step, kept_file(step, self._environment.runs_dir)


def step_of(run: Run, step_id: str) -> StepRun:
    """The step of that id in a run; NotFound (did you mean) if there is none."""
    try:
        return run.step(step_id)
    except KeyError:
        raise NotFound("step", step_id, [step.id for step in run.steps]) from None


def _why_no_rows(step: StepRun) -> str:
    if step.status == "skipped" and step.reason:
        return f"Step {step.id!r} has no rows. {step.reason}"
    if step.fused_into:
        return (
            f"Step {step.id!r} was computed together with {step.fused_into!r} and kept no rows of its own. "
            f"Look at the rows of {step.fused_into!r}."
        )
    reasons = {
        "pending": "has not started yet. Wait for it.",
        "running": "is still running. Wait for it.",
        "skipped": "was skipped, so it has no rows. Mend the step that failed before it.",
        "failed": "failed, so it has no rows. See its error.",
    }
    return f"Step {step.id!r} {reasons.get(step.status, 'kept no rows of its own.')}"
