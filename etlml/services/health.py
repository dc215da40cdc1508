"""Whether everything that has to run does run."""

import platform
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import httpx

from etlml import __version__
from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.settings import Settings
from etlml.sizes import size
from etlml.store import Store

LOW_DISK_BYTES = 10**9
SCARCE_DISK_BYTES = 5 * 10**9
LATE_S, SLOW_MS = 10.0, 200.0
API_PATIENCE_S = 0.5
_WILDCARDS = ("0.0.0.0", "::", "")
_PACKAGES = ("duckdb", "pymongo", "streamlit", "fastapi", "scikit-learn", "pandas", "pyarrow", "apscheduler")


@dataclass(frozen=True)
class Part:
    """One thing that has to run.

    Attributes:
        state: ``ok``, ``warn`` (works, but look at it) or ``bad``.
        words: How it is, in a few words.
        detail: The figures behind it.
        mend: What to do; empty while all is well.
    """

    name: str
    state: Literal["ok", "warn", "bad"]
    words: str
    detail: str
    mend: str = ""


class HealthService:
    """The health of the installation, now."""

    def __init__(self, store: Store, environment: Settings) -> None:
        self._store = store
        self._environment = environment

    def check(self) -> dict[str, Any]:
        """``{"status": ok|degraded|down, "problems": [...], "mongodb", "workers", "disk", "versions"}``; never raises."""
        problems: list[str] = []
        mongodb = self._mongodb(problems)
        workers = self._workers(problems) if mongodb["ok"] else []
        disk = self._disk(problems)
        status = "down" if not mongodb["ok"] else "degraded" if problems else "ok"
        return {
            "status": status,
            "problems": problems,
            "time": utc_now(),
            "mongodb": mongodb,
            "workers": workers,
            "disk": disk,
            "versions": versions(),
        }

    def parts(self) -> list[Part]:
        """What has to run, part by part, with the mend of what does not: scheduler, MongoDB, disk, slots, API; never raises."""
        found = self.check()
        workers: list[dict[str, Any]] = found["workers"]
        return [
            scheduler_part(workers, found["time"]),
            _mongodb_part(found["mongodb"]["latency_ms"]),
            disk_part(found["disk"]["free_bytes"], found["disk"]["total_bytes"]),
            slots_part(sum(each["running"] for each in workers), sum(each["slots"] for each in workers)),
            self._api_part(),
        ]

    def _api_part(self) -> Part:
        host = "127.0.0.1" if self._environment.host in _WILDCARDS else self._environment.host
        place = f"{host}:{self._environment.api_port}"
        began = time.perf_counter()
        try:
            reply = httpx.get(f"http://{place}/api/health", timeout=API_PATIENCE_S)
        except httpx.HTTPError:
            mend = "Start it with `etlml api`, or everything with `etlml up`."
            return Part("REST API", "warn", "not reachable", f"Nothing answers on {place}.", mend)
        took = f"{(time.perf_counter() - began) * 1000:.0f} ms"
        if reply.status_code >= 500:
            return Part(
                "REST API", "bad", "has a problem", f"{place} answers with {reply.status_code}.", "See its log lines."
            )
        return Part("REST API", "ok", "reachable", f"{place} answered within {took}.")

    def _mongodb(self, problems: list[str]) -> dict[str, Any]:
        try:
            latency_ms = self._store.ping()
        except EtlmlError as error:
            problems.append(error.message)
            return {"ok": False, "latency_ms": None}
        return {"ok": True, "latency_ms": round(latency_ms, 2)}

    def _workers(self, problems: list[str]) -> list[dict[str, Any]]:
        try:
            alive = self._store.workers.list_alive(utc_now())
        except EtlmlError as error:
            problems.append(error.message)
            return []
        if not alive:
            problems.append(
                "No worker is alive, so runs wait. Start one with `etlml worker`, or everything with `etlml up`."
            )
        return [
            {
                "id": worker.id,
                "host": worker.host,
                "pid": worker.pid,
                "slots": worker.slots,
                "run_memory": worker.run_memory,
                "fixed": worker.fixed,
                "running": len(worker.running),
                "started_at": worker.started_at,
                "heartbeat_at": worker.heartbeat_at,
            }
            for worker in alive
        ]

    def _disk(self, problems: list[str]) -> dict[str, Any]:
        try:
            usage = shutil.disk_usage(self._environment.home)
        except OSError as error:
            problems.append(f"ETLML_HOME cannot be reached: {error.strerror}.")
            return {"free_bytes": None, "total_bytes": None}
        if usage.free < LOW_DISK_BYTES:
            problems.append(f"Only {size(usage.free)} are free where ETLML_HOME lies. Free some space.")
        return {"free_bytes": usage.free, "total_bytes": usage.total}


def scheduler_part(workers: list[dict[str, Any]], now: datetime) -> Part:
    """The heartbeat of what starts runs."""
    if not workers:
        mend = "Start one with `etlml worker`, or everything with `etlml up`."
        return Part(
            "Scheduler", "bad", "no heartbeat", "No worker is alive, so runs wait and schedules do not fire.", mend
        )
    age = max(0.0, min((now - each["heartbeat_at"]).total_seconds() for each in workers))
    alive = f"{len(workers)} worker{'' if len(workers) == 1 else 's'} alive"
    if age > LATE_S:
        mend = "If it stays so, the machine is overloaded. Lower the slots in Settings, Engine."
        return Part("Scheduler", "warn", "late", f"The last heartbeat was {age:.0f} s ago; {alive}.", mend)
    return Part("Scheduler", "ok", "alive", f"The last heartbeat was {age:.0f} s ago; {alive}.")


def _mongodb_part(latency_ms: float | None) -> Part:
    if latency_ms is None:
        return Part("MongoDB", "bad", "away", "It does not answer.", "Wait a moment, or see `etlml doctor`.")
    detail = f"It answered within {latency_ms:.1f} ms."
    if latency_ms > SLOW_MS:
        return Part("MongoDB", "warn", "slow", detail, "Look at the load of the machine it runs on.")
    return Part("MongoDB", "ok", f"{latency_ms:.1f} ms", detail)


def disk_part(free: int | None, total: int | None) -> Part:
    """The room that is left where ETLML_HOME lies."""
    if free is None or not total:
        return Part("Disk", "bad", "away", "ETLML_HOME cannot be reached.", "Check that the folder is there.")
    words, detail = f"{size(free)} free", f"{size(free)} of {size(total)} are free for ETLML_HOME."
    mend = "Free some space: Settings, Retention shows what can go."
    if free < LOW_DISK_BYTES:
        return Part("Disk", "bad", words, detail, mend)
    return Part(
        "Disk", "warn" if free < SCARCE_DISK_BYTES else "ok", words, detail, mend if free < SCARCE_DISK_BYTES else ""
    )


def slots_part(busy: int, slots: int) -> Part:
    """How many runs can still begin at once."""
    if not slots:
        return Part("Slots", "bad", "none", "No worker offers a slot.", "Start a worker with `etlml worker`.")
    detail = f"{busy} of {slots} slots are busy."
    if busy >= slots:
        mend = "New runs wait. Raise the slots in Settings, Engine, or start another worker."
        return Part("Slots", "warn", f"{busy} of {slots} busy", detail, mend)
    return Part("Slots", "ok", f"{busy} of {slots} busy", detail)


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """The versions of the platform, of Python and of the packages that matter."""
    found = {"etlml": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
