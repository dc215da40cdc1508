"""The engine: a worker, the clock, the reconciler, in APScheduler background threads of this process."""

import logging
from typing import TYPE_CHECKING

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from etlml.clock import Clock, utc_now
from etlml.compute.children import Children
from etlml.engine.backfilling import Backfilling
from etlml.engine.firing import Firing
from etlml.engine.limits import calls_at_once
from etlml.engine.notifying import Notifying
from etlml.engine.reconciler import Reconciler
from etlml.engine.retention import Retention
from etlml.engine.triggers import Triggers
from etlml.engine.worker import RunWorker
from etlml.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from etlml.store.client import Store

HEARTBEAT_S = 1.0
CLOCK_S = 1.0
RECONCILE_S = 2.0
WARM_UP_AFTER_S = 3.0
RETENTION_S = 3600.0
NOTIFY_S = 2.0
LOG = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick that takes longer than its interval is no news


class Engine:
    """Starts and stops everything that makes runs happen. Any number of engines may share one database.

    APScheduler is the clock and the threads, never the memory: its jobs only look into MongoDB and change documents
    there, each in a way that is safe to do twice.
    """

    def __init__(self, settings: Settings, store: "Store", *, now: Clock = utc_now) -> None:
        settings.make_folders()
        # Loading scikit-learn takes two seconds of a core. Under `etlml up` four processes start at once: it can wait
        # until they have. A command that only runs something short need not pay for it at all.
        after_s = WARM_UP_AFTER_S if settings.supervised else WARM_UP_AFTER_S / 3
        self._children = Children(size=calls_at_once(settings.worker_slots), after_s=after_s)
        causes = (Firing(store, now), Triggers(store, settings.data_dir, now), Backfilling(store, now))
        self._causes = [_guarded(cause.tick) for cause in causes]
        self._retention = Retention(store, settings.runs_dir, now)
        self._notifying = Notifying(store, settings, now)
        self._reconciler = Reconciler(store, now)
        self.worker = RunWorker(settings, store, self._children, now=now)
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={
                "heart": ThreadPoolExecutor(1),
                "default": ThreadPoolExecutor(2),
                "slow": ThreadPoolExecutor(1),
                "messages": ThreadPoolExecutor(1),  # a service that does not answer holds up nothing else
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to claim runs and to fire schedules; what a crash left is taken back first."""
        _guarded(self._reconciler.tick)()
        self.worker.start()
        self._every(HEARTBEAT_S, self.worker.beat, executor="heart")
        self._every(CLOCK_S, self._tick_clock)
        self._every(RETENTION_S, self._retention.tick, executor="slow")
        self._every(NOTIFY_S, self._notifying.tick, executor="messages")
        self._every(RECONCILE_S, self._tick_reconciler)
        self._scheduler.start()
        LOG.info("Worker %s is ready.", self.worker.id)

    def stop(self) -> None:
        """Stop within seconds; runs that go on are given back to the queue."""
        self._scheduler.pause()
        self.worker.stop()
        self._scheduler.shutdown(wait=False)
        self._children.close()
        LOG.info("Worker %s has stopped.", self.worker.id)

    def _every(self, seconds: float, action: "Callable[[], object]", *, executor: str = "default") -> None:
        self._scheduler.add_job(
            _guarded(action), "interval", seconds=seconds, executor=executor, name=action.__qualname__
        )

    def _tick_clock(self) -> None:
        """Whatever starts runs: schedules, files that arrive, other pipelines, backfills."""
        for tick in self._causes:
            if tick():
                self.worker.wake()

    def _tick_reconciler(self) -> None:
        if self._reconciler.tick():
            self.worker.wake()


def _guarded(action: "Callable[[], object]") -> "Callable[[], object]":
    """A job that logs its faults, each once until it is over: the clock must go on, whatever one tick met."""
    shown: list[str] = []

    def job() -> object:
        try:
            result = action()
        except Exception as error:  # noqa: BLE001 - logged; the next tick looks again
            if shown != [str(error)]:
                shown[:] = [str(error)]
                LOG.warning("%s: %s", action.__qualname__, error)
            return None
        if shown:
            shown.clear()
            LOG.info("%s goes on.", action.__qualname__)
        return result

    return job
