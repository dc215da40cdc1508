"""One run, from its claim to its final state."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etlml.clock import Clock, utc_now
from etlml.compute.children import Children
from etlml.compute.session import Session
from etlml.compute.spare import SpareDatabase
from etlml.documents import ErrorInfo, PipelineDraft, Run, Step, Validation
from etlml.engine.fusion import Fusion, MemberFailed
from etlml.engine.journal import Journal, LeaseLost, first_error
from etlml.engine.reuse import Fate, Have, fates
from etlml.engine.step_runner import StepRunner, World, error_info
from etlml.errors import EtlmlError, PipelineInvalid, StepCancelled, StepTimeout
from etlml.steps.base import Tracker
from etlml.steps.check import CheckedStep, checked_steps
from etlml.steps.graph import consumers, descendants, upto, width
from etlml.steps.templating import References

WIDEST = 8  # branches of one run that work side by side
StopReason = Literal["cancelled", "timeout", "lease_lost", "shutdown"]


@dataclass(frozen=True)
class Surroundings:
    """Where a run takes place: what the runner needs from the worker.

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
    _bad: set[str] = field(default_factory=set)
    _settled: set[str] = field(default_factory=set)
    _by_id: dict[str, CheckedStep] = field(default_factory=dict)

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
        needs = {checked.step.id: checked.needs for checked in steps}
        side_by_side = min(WIDEST, width(needs))
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
            fusion = Fusion(session, folder)
            self._work(steps, needs, have, fusion, side_by_side)
        return first_error(self.run.steps) if self._failed(steps) else None

    def _wanted(self) -> list[Step]:
        """The steps that this run is about: what lies beyond its last step does not matter, be it right or wrong."""
        known = {step.id for step in self.draft.steps}
        return upto(self.draft.steps, self.run.until) if self.run.until in known else list(self.draft.steps)

    def _work(
        self,
        steps: Sequence[CheckedStep],
        needs: Mapping[str, tuple[str, ...]],
        have: Have,
        fusion: Fusion,
        side_by_side: int,
    ) -> None:
        fate = fates(steps, have)
        world = self._world(steps, needs, fate, fusion)
        self._by_id = {checked.step.id: checked for checked in steps}
        waiting = [checked.step.id for checked in steps]
        going: dict[Future[None], str] = {}
        with ThreadPoolExecutor(side_by_side, thread_name_prefix=f"run-{self.run.id[-6:]}") as pool:
            while waiting or going:
                for step in [step for step in waiting if self._is_ready(step, needs)]:
                    waiting.remove(step)
                    if fate[step] == "unneeded" or self._attached(step, fate[step], fusion):
                        self._settled.add(step)
                    elif self._stop.is_set() or any(need in self._bad for need in needs[step]):
                        self._skip(step)
                    else:
                        runner = StepRunner(self._by_id[step], world, done=step in have.done)
                        going[pool.submit(runner.run)] = step
                if not going:
                    continue
                done, _ = wait(going, return_when=FIRST_COMPLETED)
                ended = [going.pop(future) for future in done]
                for future, step in zip(done, ended, strict=True):
                    self._take(future, step, needs, fusion)
                if (waiting or going) and any(self.journal.step(step).is_final for step in ended):
                    self.journal.write()  # before anything builds on it; the last ones are written with the run's end

    def _is_ready(self, step: str, needs: Mapping[str, tuple[str, ...]]) -> bool:
        return all(need in self._settled for need in needs[step])

    def _attached(self, step: str, fate: Fate, fusion: Fusion) -> bool:
        """Whether the step's rows are there; its view then reads them."""
        if fate != "have":
            return False
        path = self.around.runs_dir / (self.journal.step(step).checkpoint or "")
        fusion.add(fusion.session.attach(step, path), ())
        return True

    def _take(self, future: Future[None], step: str, needs: Mapping[str, tuple[str, ...]], fusion: Fusion) -> None:
        """Take note of how a step ended."""
        self._settled.add(step)
        error = future.exception()
        if error is None:
            if not fusion.relations[step].is_lazy:
                self._keep(step)
            return
        if isinstance(error, MemberFailed):
            self._fail(error, step, needs, fusion)
        elif isinstance(error, StepCancelled):
            self._bad.add(step)
            self._fail_fused(step, error, needs, fusion)
        else:
            self._bad.add(step)
            self.stop("lease_lost")
            if not isinstance(error, LeaseLost):
                raise error

    def _keep(self, step: str) -> None:
        """Have later runs find the step's result, and those that were computed with it."""
        for one in self.run.steps:
            if step in (one.id, one.fused_into):
                self.around.keep_result(self.run, self._by_id[one.id], self.journal)

    def _fail(self, failure: MemberFailed, step: str, needs: Mapping[str, tuple[str, ...]], fusion: Fusion) -> None:
        """Write down the step at fault, skip what was fused on top of it, and end well what was fused beside it."""
        culprit = failure.step if failure.step in needs else step
        outcome = getattr(failure.error, "outcome", None)
        if isinstance(outcome, Validation):
            self.around.keep_validation(self.run, culprit, outcome)
        self._bad.add(culprit)
        self.journal.ended(culprit, status="failed", error=error_info(failure.error, culprit))
        self.around.log(self.run, culprit, "ERROR", failure.error.message)
        for other in descendants(culprit, needs) & {one.id for one in self.run.steps if one.status == "running"}:
            if other == step or fusion.relations[other].is_lazy:
                self._skip(other)
        for other in self._lazy_below(step, needs, fusion):
            if self.journal.step(other).status == "running":
                self.journal.ended(other, status="success", rows_out=fusion.count(other), fused_into=step)
        self.journal.write()

    def _fail_fused(self, step: str, error: EtlmlError, needs: Mapping[str, tuple[str, ...]], fusion: Fusion) -> None:
        """A step was stopped: it and what was to be computed with it did not get to their end."""
        for one in [step, *self._lazy_below(step, needs, fusion)]:
            if self.journal.step(one).status in ("running", "pending"):
                self.journal.ended(one, status="failed", error=error_info(error, one))

    def _lazy_below(self, step: str, needs: Mapping[str, tuple[str, ...]], fusion: Fusion) -> list[str]:
        found: list[str] = []
        frontier = list(needs[step])
        while frontier:
            one = frontier.pop()
            if one in fusion.relations and fusion.relations[one].is_lazy:
                found.append(one)
                frontier.extend(needs[one])
        return found

    def _skip(self, step: str) -> None:
        self._settled.add(step)
        self._bad.add(step)
        if self.journal.step(step).status not in ("success", "cached"):
            self.journal.ended(step, status="skipped")

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

    def _world(
        self,
        steps: Sequence[CheckedStep],
        needs: Mapping[str, tuple[str, ...]],
        fate: Mapping[str, Fate],
        fusion: Fusion,
    ) -> World:
        takers = consumers(needs)

        def fusable(step: str) -> bool:
            if len(takers[step]) != 1 or fate[takers[step][0]] != "run":
                return False
            taker = self._by_id[takers[step][0]]
            return taker.step.type == "transform" and not taker.config.scans_inputs

        def log(step: str, level: str, message: str) -> None:
            self.around.log(self.run, step, level, message)

        def keep_validation(step: str, validation: Validation) -> None:
            self.around.keep_validation(self.run, step, validation)

        def tracker(step: str) -> Tracker:
            return self.around.tracker(self.run, step)

        return World(
            run_id=self.run.id,
            data_dir=self.around.data_dir,
            memory_bytes=self.around.memory_bytes,
            fusion=fusion,
            journal=self.journal,
            children=self.around.children,
            tracker=tracker,
            stopped=self._stop,
            log=log,
            keep_validation=keep_validation,
            fusable=fusable,
        )
