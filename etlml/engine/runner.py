"""One run, from its claim to its final state."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from etlml.compute.session import Session
from etlml.documents import ErrorInfo, PipelineDraft, Run, Step
from etlml.engine.execution import Execution, StopReason
from etlml.engine.fusion import Fusion
from etlml.engine.journal import Journal, LeaseLost, first_error
from etlml.engine.step_runner import error_info
from etlml.engine.surroundings import Surroundings
from etlml.errors import PipelineInvalid, StepCancelled, StepTimeout
from etlml.steps.check import CheckedStep, checked_steps
from etlml.steps.graph import upto, width
from etlml.steps.templating import References

WIDEST = 8  # branches of one run that work side by side


@dataclass
class Runner:
    """Executes one claimed run.

    Args:
        run: The run, claimed by this worker.
        draft: The pipeline as it was at the run's version.
        references: What references in the configurations stand for, secrets included.
        journal: Where the run's states are written.
        around: Where it takes place.
    """

    run: Run
    draft: PipelineDraft
    references: References
    journal: Journal
    around: Surroundings
    _stop: threading.Event = field(default_factory=threading.Event)
    _reason: StopReason | None = None
    _session: Session | None = None

    def stop(self, reason: StopReason) -> None:
        """Have the run stop within two seconds; safe from any thread, and more than once."""
        if not self._stop.is_set():
            self._reason = reason
            self._stop.set()
        if self._session is not None:
            self._session.interrupt()

    def execute(self) -> Run:
        """Work through the graph and make the run final.

        Raises:
            LeaseLost: The run belongs to somebody else now; nothing more was written.
            StepCancelled: The worker is shutting down; the run is not final and can go on elsewhere.
        """
        timer = self._time_limit()
        try:
            return self._finish(self._execute())
        finally:
            timer.cancel()

    def _execute(self) -> ErrorInfo | None:
        try:
            steps = checked_steps(self.draft.name, self._wanted(), self.references, self.around.data_dir)
        except PipelineInvalid as error:
            return self._refused(error)
        folder = self.around.runs_dir / self.run.id
        files = [checked.config.files(self.around.data_dir) for checked in steps]
        side_by_side = min(WIDEST, width({checked.step.id: checked.needs for checked in steps}))
        have = self.around.find_results(self.run, steps, self.journal)
        with Session(
            folder,
            memory_bytes=self.around.memory_bytes,
            readable=[path for each in files for path in each.reads],
            folders=[path for each in files for path in each.folders],
            width=side_by_side,
            database=self.around.databases.take(),
        ) as session:
            self._session = session
            if self._stop.is_set():
                session.interrupt()
            Execution(
                self.run,
                steps,
                have,
                fusion=Fusion(session, folder),
                journal=self.journal,
                around=self.around,
                stopped=self._stop,
                stop=self.stop,
            ).work(side_by_side)
        return first_error(self.run.steps) if self._failed(steps) else None

    def _wanted(self) -> list[Step]:
        """The steps that this run is about: what lies beyond its last step does not matter, be it right or wrong."""
        known = {step.id for step in self.draft.steps}
        return upto(self.draft.steps, self.run.until) if self.run.until in known else list(self.draft.steps)

    def _failed(self, steps: Sequence[CheckedStep]) -> bool:
        tolerated = {checked.step.id for checked in steps if checked.step.on_failure == "continue"}
        for step in self.run.steps:
            if step.status == "failed" and step.id in tolerated:
                self.journal.note(step.id, warnings=step.warnings + 1)
        return any(step.status == "failed" and step.id not in tolerated for step in self.run.steps)

    def _refused(self, error: PipelineInvalid) -> ErrorInfo:
        """The pipeline can't run as it is: nothing was done, and nothing was written to a sink."""
        at_fault = {problem["step"]: problem for problem in reversed(error.details["problems"]) if problem["step"]}
        for step in self.run.steps:
            if step.status in ("success", "cached"):
                continue
            if step.id in at_fault:
                problem = at_fault[step.id]
                info = ErrorInfo(step=step.id, type=problem["type"], message=problem["message"])
                self.journal.ended(step.id, status="failed", error=info)
                self.around.log(self.run, step.id, "ERROR", problem["message"])
            else:
                self.journal.ended(step.id, status="skipped")
        first = error.details["problems"][0]
        return ErrorInfo(
            step=first["step"],
            type=first["type"],
            message=first["message"],
            details={"problems": error.details["problems"]},
        )

    def _finish(self, error: ErrorInfo | None) -> Run:
        if self._reason == "lease_lost":
            raise LeaseLost(self.run.id)
        if self._reason == "shutdown":
            raise StepCancelled("The worker is shutting down.")
        status: Literal["success", "failed", "cancelled"] = "failed" if error else "success"
        if self._reason == "cancelled" and any(
            step.status == "failed" or (step.status == "skipped" and step.reason is None) for step in self.run.steps
        ):
            status, error = "cancelled", None
        if self._reason == "timeout" and error is not None:
            error = error_info(
                StepTimeout(
                    f"The run took longer than its limit of {self.run.timeout_s:g} s. Raise the pipeline's timeout_s."
                ),
                error.step,
            )
        return self.journal.finish(status, error)

    def _time_limit(self) -> threading.Timer:
        timer = threading.Timer(self.run.timeout_s or threading.TIMEOUT_MAX, self.stop, ("timeout",))
        timer.daemon = True
        if self.run.timeout_s is not None:
            timer.start()
        return timer
