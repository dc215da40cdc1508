"""Claims runs and executes them in threads, while the heart beats in a thread that no step can block."""

import logging
import os
import platform
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from etlml import __version__
from etlml.clock import Clock, new_id, utc_now
from etlml.compute.children import Children
from etlml.compute.spare import SpareDatabase
from etlml.documents import ErrorInfo, Run, Worker
from etlml.engine.journal import Journal, LeaseLost
from etlml.engine.limits import WorkerLimits, calls_at_once
from etlml.engine.patience import patiently
from etlml.engine.preferences import preferences
from etlml.engine.preparing import Preparation
from etlml.engine.run_log import about
from etlml.engine.runner import Runner
from etlml.engine.slots import Slots
from etlml.errors import EtlmlError, StateConflict, StepCancelled, Unavailable
from etlml.redaction import redacted
from etlml.settings import MOST_SLOTS, Settings
from etlml.sizes import plural, size

if TYPE_CHECKING:
    from etlml.store.client import Store

LEASE_S = 15.0
POLL_S = 2.0
LOG = logging.getLogger(__name__)


class RunWorker:
    """Executes as many runs at once as it has slots.

    Slots and memory are as the settings say if they were given; else as the preferences say, at each heartbeat anew.

    Args:
        settings: Folders, slots, memory.
        store: The truth.
        children: Child processes for what must be stoppable.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        store: "Store",
        children: Children,
        *,
        now: Clock = utc_now,
    ) -> None:
        self.id = f"{platform.node()}-{os.getpid()}-{new_id()[-6:]}"
        self._settings, self._store, self._children, self._now = settings, store, children, now
        self._limits = WorkerLimits().in_force(settings)
        self._databases = SpareDatabase(memory_bytes=self._limits.run_memory)
        self._preparation = Preparation(settings, store, children, self._databases, now)
        self._runners: dict[str, Runner] = {}
        self._lock = threading.Lock()
        self._slots = Slots(self._limits.slots)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pool = ThreadPoolExecutor(MOST_SLOTS, thread_name_prefix="run")
        self._started_at = now()

    def start(self) -> None:
        """Announce the worker and begin to claim."""
        self.beat()
        self._databases.refill()
        self._threads = [
            threading.Thread(target=self._watch, name="run-watch", daemon=True),
            threading.Thread(target=self._claim, name="run-claim", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, *, patience_s: float = 10.0) -> None:
        """Stop what runs and give it back to the queue; another worker (or the next start) goes on after the last checkpoint."""
        self._stopping.set()
        self._wake.set()
        with self._lock:
            runners = list(self._runners.values())
        for runner in runners:
            runner.stop("shutdown")
        self._slots.close()  # the claiming thread may wait for one
        for thread in self._threads:
            thread.join(patience_s)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._databases.close()
        try:
            self._store.workers.remove(self.id)
        except EtlmlError as error:
            LOG.debug("worker document not removed: %s", error)

    def beat(self) -> None:
        """Say that this worker lives, prolong its leases, and stop the runs that it lost or that shall end.

        Called every second by the clock, from a thread that runs nothing else.
        """
        with self._lock:
            runners = dict(self._runners)
        self._take_limits()
        now = self._now()
        self._store.workers.beat(
            Worker(
                id=self.id,
                host=platform.node(),
                pid=os.getpid(),
                slots=self._limits.slots,
                run_memory=self._limits.run_memory,
                fixed=list(self._limits.fixed),
                running=sorted(runners),
                started_at=self._started_at,
                heartbeat_at=now,
                version=__version__,
            )
        )
        if not runners:
            return
        held = self._store.runs.heartbeat(self.id, sorted(runners), now + timedelta(seconds=LEASE_S))
        for run_id, runner in runners.items():
            if run_id in held.cancelled:
                runner.stop("cancelled")
            elif run_id not in held.runs and run_id in self._runners:
                runner.stop("lease_lost")

    def _take_limits(self) -> None:
        """Take up what people set since the last heartbeat: slots at once, memory with the next run."""
        limits = preferences(self._store, WorkerLimits).in_force(self._settings)
        if limits == self._limits:
            return
        LOG.info("Worker %s now has %s and %s a run.", self.id, plural(limits.slots, "slot"), size(limits.run_memory))
        self._limits = limits
        self._databases.resize(limits.run_memory)
        self._slots.resize(limits.slots)
        self._children.size = calls_at_once(limits.slots)

    def wake(self) -> None:
        """Look for a run to claim now."""
        self._wake.set()

    def _watch(self) -> None:
        """Wake up as runs are queued, and stop those that are cancelled, without waiting for a poll."""
        for event in self._store.runs.watch(timeout_s=0.5):
            if self._stopping.is_set():
                return
            if event is None:
                continue
            if event.kind in ("queued", "ended", "unknown"):
                self._wake.set()
            if event.kind == "cancel" and (runner := self._runners.get(event.run_id)) is not None:
                runner.stop("cancelled")

    def _claim(self) -> None:
        while not self._stopping.is_set():
            if not self._slots.take():
                return
            self._wake.clear()  # before the look, so that what is queued after it wakes us
            run = None if self._stopping.is_set() else self._claimed()
            if run is None:
                self._slots.free()
                self._wake.wait(POLL_S)
                continue
            self._pool.submit(self._run, run)

    def _claimed(self) -> Run | None:
        try:
            return self._store.runs.claim(self.id, self._now(), LEASE_S)
        except Unavailable as error:
            LOG.debug("no claim: %s", error)  # the heartbeat tells of it
            return None

    def _run(self, run: Run) -> None:
        """Execute one claimed run; whatever happens, the slot is free again and the worker lives on."""
        try:
            self._execute(run)
        except LeaseLost:
            LOG.warning("Run %s is no longer this worker's; it goes on elsewhere.", run.id, extra=about(run))
        except StepCancelled:
            self._give_back(run)
        except EtlmlError as error:
            LOG.error("Run %s could not be executed: %s", run.id, error, extra=about(run))
            self._give_back(run)
        except Exception as error:
            LOG.exception("Run %s met a fault in the platform itself.", run.id, extra=about(run))
            self._abandon(run, error)
        finally:
            with self._lock:
                self._runners.pop(run.id, None)
            self._slots.free()
            self._wake.set()
            self._databases.refill()

    def _execute(self, run: Run) -> None:
        runner = self._preparation.runner(run, memory_bytes=self._limits.run_memory)
        with self._lock:
            self._runners[run.id] = runner
        if run.cancel_requested:
            runner.stop("cancelled")
        if self._stopping.is_set():
            runner.stop("shutdown")
        patiently(lambda: self._store.pipelines.mark_run(run.pipeline_id, run))
        LOG.info("Run of %s started (%s, attempt %d).", run.pipeline_name, run.trigger, run.attempt, extra=about(run))
        finished = runner.execute()
        patiently(lambda: self._store.pipelines.mark_run(run.pipeline_id, finished))
        _log_end(finished)

    def _abandon(self, run: Run, error: Exception) -> None:
        """End a run that met a fault of ours: another attempt would meet it again."""
        info = ErrorInfo(
            type="PlatformFault",
            message=f"The platform itself failed ({type(error).__name__}: {redacted(str(error))[:300]}). "
            "The worker's log has the details; retry the run, and report the fault if it stays.",
        )
        journal = Journal(run, self._store.runs, self._now)
        for step in run.steps:
            if step.status in ("running", "pending"):
                journal.ended(step.id, status="failed" if step.status == "running" else "skipped")
        try:
            finished = journal.finish("failed", info)
            self._store.pipelines.mark_run(run.pipeline_id, finished)
        except (LeaseLost, EtlmlError) as fault:
            LOG.warning("Run %s could not be ended: %s", run.id, fault, extra=about(run))

    def _give_back(self, run: Run) -> None:
        try:
            self._store.runs.release(run.id, run.attempt, self.id)
        except (StateConflict, Unavailable) as error:
            LOG.warning("Run %s was not given back: %s Its lease will run out.", run.id, error, extra=about(run))


def _log_end(run: Run) -> None:
    seconds = f"{run.duration_s:.2f} s" if run.duration_s is not None else "no time"
    if run.error is not None:
        at = f" at step {run.error.step!r}" if run.error.step else ""
        LOG.error(
            "Run of %s failed%s after %s: %s", run.pipeline_name, at, seconds, run.error.message, extra=about(run)
        )
    else:
        LOG.info(
            "Run of %s ended in %s: %s, %s.",
            run.pipeline_name,
            seconds,
            run.status,
            plural(run.warnings, "warning"),
            extra=about(run),
        )
