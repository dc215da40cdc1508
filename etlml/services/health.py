"""Whether everything that has to run does run."""

import platform
import shutil
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from etlml import __version__
from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.settings import Settings
from etlml.store import Store

LOW_DISK_BYTES = 2**30
_PACKAGES = ("duckdb", "pymongo", "streamlit", "fastapi", "scikit-learn", "pandas", "pyarrow", "apscheduler")


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
            problems.append(f"Only {usage.free // 2**20} MiB are free where ETLML_HOME lies. Free some space.")
        return {"free_bytes": usage.free, "total_bytes": usage.total}


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
