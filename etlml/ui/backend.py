"""The one set of services of this process, and the engine that runs in it where no worker does."""

import logging
import threading
from collections.abc import Callable

from etlml.clock import utc_now
from etlml.services import Services
from etlml.settings import Settings, get_settings
from etlml.store.client import open_store

logger = logging.getLogger(__name__)
_lock = threading.Lock()


class Backend:
    """Services on an open store, with whatever had to be started for them."""

    def __init__(self, settings: Settings, services: Services | None = None) -> None:
        self.settings = settings
        self._closers: list[Callable[[], None]] = []
        if services is None:
            settings.make_folders()
            store = open_store(self._uri(), settings.database)
            self._closers.append(store.close)
            services = Services(store, settings)
        self.services = services
        self.store = services.store

    def _uri(self) -> str:
        if self.settings.mongodb_uri is not None:
            return self.settings.mongodb_uri.get_secret_value()
        from etlml.store.mongod import EmbeddedMongod

        server = EmbeddedMongod(self.settings.mongod_dir)
        uri = server.start()
        self._closers.append(server.stop)
        return uri

    def prepare(self) -> str | None:
        """What a first start needs: the example workspace and, where visitors sign in, an admin; its new password or None."""
        self.services.workspace.install_examples()
        if not self.settings.auth_required or self.settings.supervised:  # etlml up shows it, where no log keeps it
            return None
        return self.services.users.ensure_admin()

    def start_engine_if_alone(self) -> bool:
        """Run the engine in this process unless there is a worker, or ``etlml up`` is just starting one; whether it was."""
        if self.settings.supervised or self.store.workers.list_alive(utc_now()):
            return False
        from etlml.engine.engine import Engine

        engine = Engine(self.settings, self.store)
        engine.start()
        self._closers.append(engine.stop)
        logger.info("No worker is alive, so runs are executed in this process.")
        return True

    def close(self) -> None:
        """Stop what was started here, newest first."""
        while self._closers:
            self._closers.pop()()


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
