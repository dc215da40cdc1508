"""The one set of services of this process, and the engine that runs in it where no worker does."""

import logging
import threading
from contextlib import ExitStack

from etlml.clock import utc_now
from etlml.launch.logs import log_to_store, log_to_terminal
from etlml.launch.session import open_services
from etlml.services import Services
from etlml.settings import Settings, get_settings

LOG = logging.getLogger(__name__)
SOURCE = "ui"
_lock = threading.Lock()


class Backend:
    """Services on an open store, with whatever had to be started for them.

    Args:
        settings: The process's settings.
        services: Ready services; left out, a store is opened (and the embedded MongoDB started where none is set).
    """

    def __init__(self, settings: Settings, services: Services | None = None) -> None:
        self.settings = settings
        self._started = ExitStack()
        if services is None:
            log_to_terminal(SOURCE, format=settings.log_format)
            services = self._started.enter_context(open_services(settings))
            self._started.enter_context(log_to_store(services.store, SOURCE))
        self.services = services
        self.store = services.store

    def first_password(self) -> str | None:
        """Where visitors sign in and nobody can yet: the password of a new admin, to be shown once.

        Under ``etlml up`` the supervisor makes the admin: what this process prints is kept in a log file.
        """
        if self.settings.supervised or not self.settings.auth_required:
            return None
        return self.services.users.ensure_admin()

    def start_engine_if_alone(self) -> bool:
        """Run the engine in this process unless a worker somewhere has a live heartbeat; whether it was started."""
        if self.store.workers.list_alive(utc_now()):
            return False
        from etlml.engine.engine import Engine

        engine = Engine(self.settings, self.store)
        engine.start()
        self._started.callback(engine.stop)
        LOG.info("No worker is alive, so runs are executed in this process.")
        return True

    def close(self) -> None:
        """Stop what was started here, newest first."""
        self._started.close()


_backend: Backend | None = None


def backend(settings: Settings | None = None) -> Backend:
    """The process's backend, opened on first use; every session and the server's lifespan share it."""
    global _backend
    with _lock:
        if _backend is None:
            _backend = Backend(settings or get_settings())
        return _backend


def use(services: Services) -> None:
    """Put ready services in the backend's place: for tests and scripts that bring their own store."""
    global _backend
    with _lock:
        _backend = Backend(services.environment, services)


def forget() -> None:
    """Take what ``use`` put there away again, without closing it."""
    global _backend
    with _lock:
        _backend = None


def close() -> None:
    """Close the backend if it was opened."""
    global _backend
    with _lock:
        if _backend is not None:
            _backend.close()
            _backend = None
