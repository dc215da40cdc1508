"""One step of a run: attempts, time limit, validations, and where its result is kept."""

import logging
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etlml.compute.children import Children
from etlml.compute.relation import Relation
from etlml.documents import ErrorInfo, Validation
from etlml.engine.fusion import Computed, Fusion, MemberFailed
from etlml.engine.journal import Journal, LeaseLost
from etlml.engine.reuse import passes_input_on
from etlml.errors import DataUnreadable, EtlmlError, InvalidInput, StepCancelled, StepError, StepTimeout, Unavailable
from etlml.redaction import redacted, redacted_document, without_secrets
from etlml.steps.base import StepContext, StepResult, Tracker
from etlml.steps.check import CheckedStep
from etlml.validation.step_rules import run_validations

LOG = logging.getLogger(__name__)
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 1.0, 60.0


@dataclass(frozen=True)
class World:
    """What the steps of one run share.

    Attributes:
        run_id: The run.
        data_dir: Where relative paths start.
        memory_bytes: Memory cap of the run, and of each of its child processes.
        fusion: The run's relations.
        journal: Where step states are written.
        children: Runs what must be stoppable.
        tracker: Where trainings report.
        stopped: Set when the whole run is to stop.
        log: ``log(step id, level, message)``.
        keep_validation: Stores an evaluation of rules.
        fusable: Whether a step's lazy result may wait for the one step that takes it.
    """

    run_id: str
    data_dir: Path
    memory_bytes: int
    fusion: Fusion
    journal: Journal
    children: Children
    tracker: Callable[[str], Tracker]
    stopped: threading.Event
    log: Callable[[str, str, str], None]
    keep_validation: Callable[[str, Validation], None]
    fusable: Callable[[str], bool]


class StepRunner:
    """Runs one step in the calling thread.

    Args:
        checked: The step.
        world: What it shares with the others.
        done: The step did its work before; only its rows are derived again, and nothing is written down.
    """

    def __init__(self, checked: CheckedStep, world: World, *, done: bool = False) -> None:
        self._checked, self._world, self._done = checked, world, done
        self._id = checked.step.id
        self._timed_out = threading.Event()
        self._base: tuple[str, ...] = checked.needs

    def run(self) -> None:
        """Execute the step until it succeeds or its attempts are used up.

        Raises:
            MemberFailed: It failed for good; the error names the step at fault, which may be one fused into this one.
            StepCancelled: The run is being stopped.
            LeaseLost: The run is somebody else's now.
        """
        retries = self._checked.step.retries
        for attempt in range(retries + 1):
            if not self._done:
                self._world.journal.started(self._id)
            try:
                with self._time_limit():
                    self._attempt()
                return
            except MemberFailed as failure:
                if attempt == retries or not _worth_retrying(failure.error):
                    raise
                wait_s = backoff_s(attempt)
                self._world.journal.write()
                self._log("WARNING", f"Attempt {attempt + 1} failed: {failure.error} Next attempt in {wait_s:.1f} s.")
                if self._world.stopped.wait(wait_s):
                    raise StepCancelled from None

    def _attempt(self) -> None:
        try:
            self._execute()
        except (MemberFailed, StepCancelled) as error:
            if self._timed_out.is_set() and not self._world.stopped.is_set():
                limit = self._checked.step.timeout_s
                raise MemberFailed(
                    self._id,
                    StepTimeout(
                        f"Step {self._id!r} took longer than its limit of {limit:g} s. Raise timeout_s, or give it less to do."
                    ),
                ) from error
            raise
        except EtlmlError as error:
            raise MemberFailed(self._id, error) from error
        except LeaseLost:
            raise
        except Exception as error:
            LOG.exception("Step %s met a fault in the platform itself.", self._id)
            short = redacted(f"{type(error).__name__}: {error}")[:300]
            fault = StepError(
                f"The platform itself failed in step {self._id!r} ({short}). The worker's log has the details."
            )
            raise MemberFailed(self._id, fault) from error

    def _execute(self) -> None:
        world = self._world
        if self._done and passes_input_on(self._checked):
            world.fusion.alias(self._id, self._checked.needs[0])
            return
        inputs = {need: world.fusion.relations[need] for need in self._checked.needs}
        if self._checked.step.type == "load":
            self._check_rules(next(iter(inputs.values())))
        world.journal.note(self._id, rows_in=_sum_rows(inputs.values()))
        if self._checked.config.scans_inputs and not self._done:
            world.journal.write()  # what takes long is seen to run
        result = self._checked.config.execute(inputs, self._context())
        self._settle(result)

    def _settle(self, result: StepResult) -> None:
        """Keep the result: as a view for the step that takes it, or as a checkpoint."""
        world = self._world
        relation = result.relation
        if relation.name != self._id:
            world.fusion.alias(self._id, relation.name)
        elif relation.name not in world.fusion.relations or world.fusion.relations[relation.name] is not relation:
            world.fusion.add(relation, self._base)
        kept = world.fusion.relations[self._id]
        if result.validation is not None and not self._done:
            world.keep_validation(self._id, result.validation)
        self._warn(result.warnings)
        facts: dict[str, Any] = {"metrics": without_secrets(result.metrics)}
        if self._done:
            return
        if kept.is_lazy and not self._checked.validations and world.fusable(self._id):
            world.journal.note(self._id, **facts)
            return
        computed: Computed | None = None
        if kept.is_lazy:
            world.journal.write()
            computed = world.fusion.compute(self._id)
            kept = computed.relation
        if self._checked.step.type != "load":
            self._check_rules(kept)
        if computed is not None:
            self._end_fused(computed)
        size = result.bytes if result.bytes is not None else _size(kept.path)
        world.journal.ended(
            self._id, status="success", rows_out=kept.rows, bytes=size, checkpoint=self._relative(kept.path), **facts
        )

    def _end_fused(self, computed: Computed) -> None:
        """Write down the rows of the steps that this step's query computed."""
        world = self._world
        for step, rows in computed.rows.items():
            if step in (self._id, *self._helpers()) or world.journal.step(step).status != "running":
                continue
            world.journal.ended(
                step, status="success", rows_in=self._rows_into(step), rows_out=rows, fused_into=self._id
            )
        world.journal.note(self._id, rows_in=self._rows_into(self._id))

    def _helpers(self) -> list[str]:
        return [name for name in self._world.fusion.relations if name.startswith(f"{self._id}.")]

    def _rows_into(self, step: str) -> int | None:
        inputs = self._checked.needs if step == self._id else self._world.fusion.inputs[step]
        return _sum_rows(self._world.fusion.relations[need] for need in inputs)

    def _check_rules(self, relation: Relation) -> None:
        if not self._checked.validations or self._done:
            return
        outcome = run_validations(self._checked.validations, relation, self._context(), name=self._id)
        self._world.keep_validation(self._id, outcome)
        warned = sum(not rule.success and rule.severity in ("info", "warning") for rule in outcome.rules)
        self._warn(warned)

    def _warn(self, count: int) -> None:
        if count:
            self._world.journal.note(self._id, warnings=self._world.journal.step(self._id).warnings + count)

    def _checkpoint(self, relation: Relation) -> Relation:
        """What ``StepContext.checkpoint`` does: the step itself needs the rows of something lazy in a file."""
        fusion = self._world.fusion
        if not relation.is_lazy:
            return relation
        if (
            fusion.relations.get(relation.name) is not relation
        ):  # an input that an earlier run had fused is there already
            fusion.add(relation, self._base)
        self._world.journal.write()
        computed = fusion.compute(relation.name)
        if not self._done:
            self._end_fused(computed)
        self._base = (relation.name,)
        return computed.relation

    def _context(self) -> StepContext:
        world = self._world
        return StepContext(
            step_id=self._id,
            load_id=world.journal.step(self._id).load_id or f"{world.run_id}/{self._id}",
            folder=world.fusion.folder,
            data_dir=world.data_dir,
            session=world.fusion.session,
            children=world.children,
            tracker=world.tracker(self._id),
            log=self._log,
            cancelled=lambda: world.stopped.is_set() or self._timed_out.is_set(),
            memory_bytes=world.memory_bytes,
            checkpoint=self._checkpoint,
        )

    def _log(self, level: str, message: str) -> None:
        self._world.log(self._id, level, message)

    def _relative(self, path: Path | None) -> str | None:
        if path is None:
            return None
        return Path(os.path.relpath(path, self._world.fusion.folder.parent)).as_posix()

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        if self._checked.step.timeout_s is None:
            yield
            return
        ident = threading.get_ident()

        def stop() -> None:
            self._timed_out.set()
            self._world.fusion.session.interrupt_thread(ident)

        timer = threading.Timer(self._checked.step.timeout_s, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def backoff_s(attempt: int, *, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait after the failed attempt of that number (from 0): doubled each time, half of it by chance."""
    full: float = min(FIRST_BACKOFF_S * 2**attempt, LONGEST_BACKOFF_S)
    return full / 2 + full / 2 * jitter()


def error_info(error: EtlmlError, step: str | None) -> ErrorInfo:
    """An error as documents show it, without secrets."""
    details = {key: value for key, value in error.details.items() if key not in ("traceback", "step")}
    traceback = error.details.get("traceback")
    return ErrorInfo(
        step=step,
        type=error.type,
        message=redacted(error.message),
        details=redacted_document(details),
        traceback=redacted(str(traceback)) if traceback else None,
    )


def _worth_retrying(error: EtlmlError) -> bool:
    """Wrong configurations stay wrong; files, networks and memory may be better next time."""
    return isinstance(error, DataUnreadable | Unavailable) or not isinstance(error, InvalidInput)


def _sum_rows(relations: Iterable[Relation]) -> int | None:
    counts = [relation.rows for relation in relations]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _size(path: Path | None) -> int | None:
    return path.stat().st_size if path is not None else None
