"""The steps of one run, worked through in the order of their needs."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Literal

from etlml.documents import Run, Validation
from etlml.engine.fusion import Fusion, MemberFailed
from etlml.engine.journal import Journal, LeaseLost
from etlml.engine.reuse import Have, fates
from etlml.engine.step_runner import StepRunner, World, error_info
from etlml.engine.surroundings import Surroundings
from etlml.errors import EtlmlError, StepCancelled
from etlml.steps.base import Tracker
from etlml.steps.check import CheckedStep
from etlml.steps.graph import consumers, descendants

StopReason = Literal["cancelled", "timeout", "lease_lost", "shutdown"]
SEEN_S = 0.2  # a step that takes longer is written down as running
PROGRESS_S = 1.0  # how often its progress is


class Execution:
    """Starts each step when what it needs is settled, and settles the steps that follow from its end.

    Args:
        run: The run.
        steps: Its steps in execution order.
        have: What need not be computed.
        fusion: The run's relations.
        journal: Where the states are written.
        around: Where the run takes place.
        stopped: Set when the run is to stop.
        stop: Has it stop.
    """

    def __init__(
        self,
        run: Run,
        steps: Sequence[CheckedStep],
        have: Have,
        *,
        fusion: Fusion,
        journal: Journal,
        around: Surroundings,
        stopped: threading.Event,
        stop: Callable[[StopReason], None],
    ) -> None:
        self._run, self._fusion, self._journal, self._around = run, fusion, journal, around
        self._stopped, self._stop = stopped, stop
        self._by_id = {checked.step.id: checked for checked in steps}
        self._needs = {checked.step.id: checked.needs for checked in steps}
        self._done = have.done
        self._fate = fates(steps, have)
        self._takers = consumers(self._needs)
        self._waiting = list(self._by_id)
        self._settled: set[str] = set()
        self._bad: set[str] = set()

    def work(self, side_by_side: int) -> None:
        """Bring every step to its end, at most so many at the same time.

        Raises:
            Exception: A fault of the platform itself; what failed in a step is in the journal instead.
        """
        world = self._world()
        going: dict[Future[None], str] = {}
        with ThreadPoolExecutor(side_by_side, thread_name_prefix=f"run-{self._run.id[-6:]}") as pool:
            while self._waiting or going:
                for step in [step for step in self._waiting if self._is_ready(step)]:
                    self._waiting.remove(step)
                    if not self._is_settled_at_once(step):
                        runner = StepRunner(self._by_id[step], world, done=step in self._done)
                        going[pool.submit(runner.run)] = step
                if not going:
                    continue
                done, _ = wait(going, timeout=SEEN_S, return_when=FIRST_COMPLETED)
                if not done:
                    self._journal.write()  # what takes long is seen to run
                while not done:
                    done, _ = wait(going, timeout=PROGRESS_S, return_when=FIRST_COMPLETED)
                    if not done:
                        self._journal.progressed(self._shares())
                ended = {going.pop(future): future for future in done}
                for step, future in ended.items():
                    self._take(step, future.exception())
                if (self._waiting or going) and any(self._journal.step(step).is_final for step in ended):
                    self._journal.write()  # before anything builds on it; the last ones are written with the run's end

    def _shares(self) -> dict[str, float]:
        """How far the steps are that DuckDB computes now; those that were fused into one are as far as it is."""
        shares = self._fusion.session.shares()
        together = {
            other: share for step, share in shares.items() if step in self._needs for other in self._lazy_below(step)
        }
        return together | shares

    def _is_ready(self, step: str) -> bool:
        return all(need in self._settled for need in self._needs[step])

    def _is_settled_at_once(self, step: str) -> bool:
        """Whether there is nothing to execute: nobody asks for the rows, they are there, or the step can't be done any more."""
        if self._fate[step] == "unneeded" or self._is_attached(step):
            self._settled.add(step)
        elif self._stopped.is_set() or any(need in self._bad for need in self._needs[step]):
            self._skip(step)
        return step in self._settled

    def _is_attached(self, step: str) -> bool:
        """Whether the step's rows are there; its view then reads them."""
        if self._fate[step] != "have":
            return False
        path = self._around.runs_dir / (self._journal.step(step).checkpoint or "")
        self._fusion.add(self._fusion.session.attach(step, path), ())
        return True

    def _take(self, step: str, error: BaseException | None) -> None:
        """Take note of how a step ended."""
        self._settled.add(step)
        if error is None:
            if not self._fusion.relations[step].is_lazy:
                self._keep(step)
        elif isinstance(error, MemberFailed):
            self._fail(error, step)
        elif isinstance(error, StepCancelled):
            self._bad.add(step)
            self._fail_fused(step, error)
        else:
            self._bad.add(step)
            self._stop("lease_lost")
            if not isinstance(error, LeaseLost):
                raise error

    def _keep(self, step: str) -> None:
        """Have later runs find the step's result, and those that were computed with it."""
        together = {step}
        for one in reversed(self._run.steps):  # those that were fused into what was fused into it come later
            if one.id == step or one.fused_into in together:
                together.add(one.id)
                self._around.keep_result(self._run, self._by_id[one.id], self._journal)

    def _fail(self, failure: MemberFailed, step: str) -> None:
        """Write down the step at fault, skip what was fused on top of it, and end well what was fused beside it."""
        culprit = failure.step if failure.step in self._needs else step
        outcome = getattr(failure.error, "outcome", None)
        if isinstance(outcome, Validation):
            self._around.keep_validation(self._run, culprit, outcome)
        self._bad.add(culprit)
        self._journal.ended(culprit, status="failed", error=error_info(failure.error, culprit))
        self._around.log(self._run, culprit, "ERROR", failure.error.message)
        running = {one.id for one in self._run.steps if one.status == "running"}
        for other in descendants(culprit, self._needs) & running:
            if other == step or self._fusion.relations[other].is_lazy:
                self._skip(other)
        for other in self._lazy_below(step):
            if self._journal.step(other).status == "running":
                self._journal.ended(other, status="success", rows_out=self._fusion.count(other), fused_into=step)
                self._around.keep_result(self._run, self._by_id[other], self._journal)
        self._journal.write()

    def _fail_fused(self, step: str, error: EtlmlError) -> None:
        """A step was stopped: it and what was to be computed with it did not get to their end."""
        for one in [step, *self._lazy_below(step)]:
            if self._journal.step(one).status in ("running", "pending"):
                self._journal.ended(one, status="failed", error=error_info(error, one))

    def _lazy_below(self, step: str) -> list[str]:
        """The steps whose rows were to be computed together with this one's."""
        relations = self._fusion.relations
        found: list[str] = []
        frontier = list(self._needs[step])
        while frontier:
            one = frontier.pop()
            if one in relations and relations[one].is_lazy:
                found.append(one)
                frontier.extend(self._needs[one])
        return found

    def _skip(self, step: str) -> None:
        self._settled.add(step)
        self._bad.add(step)
        if self._journal.step(step).status not in ("success", "cached"):
            self._journal.ended(step, status="skipped")

    def _is_fusable(self, step: str) -> bool:
        """Whether the step's rows can wait for the one step that takes them."""
        takers = self._takers[step]
        if len(takers) != 1 or self._fate[takers[0]] != "run":
            return False
        taker = self._by_id[takers[0]]
        return taker.step.type == "transform" and not taker.config.scans_inputs

    def _world(self) -> World:
        run, around = self._run, self._around

        def log(step: str, level: str, message: str) -> None:
            around.log(run, step, level, message)

        def keep_validation(step: str, validation: Validation) -> None:
            around.keep_validation(run, step, validation)

        def tracker(step: str) -> Tracker:
            return around.tracker(run, step)

        return World(
            run_id=run.id,
            data_dir=around.data_dir,
            memory_bytes=around.memory_bytes,
            fusion=self._fusion,
            journal=self._journal,
            children=around.children,
            tracker=tracker,
            stopped=self._stopped,
            log=log,
            keep_validation=keep_validation,
            fusable=self._is_fusable,
        )
