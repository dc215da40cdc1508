"""``etlml doctor``: what is there, what is missing, and the mend, in plain words."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from etlml.compute.duck import load_extensions, open_database
from etlml.errors import EtlmlError
from etlml.services.health import LOW_DISK_BYTES
from etlml.settings import Settings
from etlml.sizes import size
from etlml.store import Store

_ASK_S = 0.5
OLDEST_PYTHON = (3, 11)
EXTENSIONS = ("sqlite_scanner", "excel")


@dataclass(frozen=True)
class Check:
    """One finding; ``mend`` is empty where nothing has to be done."""

    name: str
    status: Literal["ok", "warn", "fail"]
    message: str
    mend: str = ""

    def as_json(self) -> dict[str, str]:
        """As a mapping."""
        return asdict(self)


class Doctor:
    """Looks at the machine; works without a database too.

    Args:
        environment: The process's settings.
        store: An open store, if there is one.
    """

    def __init__(self, environment: Settings, store: Store | None = None) -> None:
        self._environment = environment
        self._store = store

    def run(self) -> Sequence[Check]:
        """Every check, in the order in which a start needs them; never raises."""
        checks: list[Callable[[], Check]] = [
            self._python,
            self._home,
            self._disk,
            self._mongodb,
            lambda: self._port("port of the UI", self._environment.port, "ETLML_PORT"),
            lambda: self._port("port of the API", self._environment.api_port, "ETLML_API_PORT"),
            self._duckdb,
            self._workers,
            self._indexes,
            self._access,
        ]
        return [_guarded(check) for check in checks]

    def _python(self) -> Check:
        found = ".".join(map(str, sys.version_info[:3]))
        if sys.version_info < OLDEST_PYTHON:
            return Check("Python", "fail", f"Python {found} is too old.", "Install Python 3.11 or newer.")
        return Check("Python", "ok", f"Python {found}.")

    def _home(self) -> Check:
        home = self._environment.home
        try:
            self._environment.make_folders()
            with tempfile.NamedTemporaryFile(dir=home):
                pass
        except OSError as error:
            return Check(
                "home folder",
                "fail",
                f"{home} cannot be written: {error.strerror}.",
                "Set ETLML_HOME to a folder of yours.",
            )
        return Check("home folder", "ok", f"{home} can be written.")

    def _disk(self) -> Check:
        home = self._environment.home
        free = shutil.disk_usage(next(folder for folder in (home, *home.parents) if folder.exists())).free
        text = f"{size(free)} are free."
        if free < LOW_DISK_BYTES:
            return Check(
                "disk space", "warn", text, "Free some space: runs keep checkpoints, and large joins spill to disk."
            )
        return Check("disk space", "ok", text)

    def _mongodb(self) -> Check:
        if self._store is not None:
            self._store.ping()
            return Check("MongoDB", "ok", "MongoDB answers.")
        if self._environment.mongodb_uri is not None:
            return _reached(self._environment)
        from etlml.store.mongod import find_mongod

        return Check("MongoDB", "ok", f"The embedded server will be {find_mongod()}.")

    def _port(self, name: str, port: int, variable: str) -> Check:
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._environment.host, port))
            except OSError:
                if _is_ours(self._environment.host, port):
                    return Check(name, "ok", f"etlml answers at {port}.")
                return Check(
                    name,
                    "warn",
                    f"{port} is taken; the next free one will be used.",
                    f"Set {variable} to choose another.",
                )
        return Check(name, "ok", f"Port {port} is free.")

    def _duckdb(self) -> Check:
        connection = open_database()
        try:
            load_extensions(connection, EXTENSIONS)
        finally:
            connection.close()
        return Check("DuckDB", "ok", f"DuckDB loads its extensions ({', '.join(EXTENSIONS)}).")

    def _workers(self) -> Check:
        if self._store is None:
            return Check("workers", "ok", "Not looked at: the database is not open.")
        from etlml.clock import utc_now

        alive = self._store.workers.list_alive(utc_now())
        if not alive:
            return Check(
                "workers",
                "warn",
                "No worker is alive, so runs wait.",
                "Start one with `etlml worker`, or everything with `etlml up`.",
            )
        return Check("workers", "ok", f"{len(alive)} alive with {sum(worker.slots for worker in alive)} slots.")

    def _indexes(self) -> Check:
        if self._store is None:
            return Check("indexes", "ok", "Not looked at: the database is not open.")
        facts = self._store.indexes()
        missing = [f"{fact.collection}.{fact.name}" for fact in facts if fact.state == "missing"]
        if missing:
            names = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
            return Check(
                "indexes",
                "warn",
                f"{len(missing)} are missing, so lists and searches are slow: {names}.",
                "Press Create missing on the System tab of the settings, or start again.",
            )
        return Check("indexes", "ok", f"All {len(facts)} are there.")

    def _access(self) -> Check:
        environment = self._environment
        if not environment.is_loopback and not environment.auth_required:
            return Check(
                "sign-in",
                "fail",
                f"The servers would listen on {environment.host} without sign-in.",
                "Leave ETLML_AUTH unset or set it to required.",
            )
        state = "required" if environment.auth_required else "off, since only this machine can reach the servers"
        return Check("sign-in", "ok", f"Sign-in is {state}.")


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except EtlmlError as error:
        name = {"_mongodb": "MongoDB", "_duckdb": "DuckDB", "_workers": "workers", "_indexes": "indexes"}.get(
            getattr(check, "__name__", ""), "check"
        )
        return Check(name, "fail", error.message, "See the message.")


def _reached(environment: Settings) -> Check:
    from etlml.store import open_store

    uri: Any = environment.mongodb_uri
    store = open_store(uri.get_secret_value(), environment.database)
    try:
        store.ping()
    finally:
        store.close()
    return Check("MongoDB", "ok", "The MongoDB of ETLML_MONGODB_URI answers.")


def _is_ours(host: str, port: int) -> bool:
    """Whether what listens there is a studio or a REST API of etlml."""
    import httpx  # takes longer to import than most processes ever need it

    for path in ("/healthz", "/api/health"):
        try:
            reply = httpx.get(f"http://{host}:{port}{path}", timeout=_ASK_S, trust_env=False)
            if reply.status_code == 200 and "status" in reply.json():
                return True
        except (httpx.HTTPError, ValueError):
            continue
    return False
