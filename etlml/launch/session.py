"""An open store for a process: the MongoDB that is set, the embedded one that runs, or the embedded one started for as long."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from etlml.settings import Settings

if TYPE_CHECKING:
    from etlml.services import Services
    from etlml.store.client import Store


@contextmanager
def mongodb_uri(settings: Settings) -> Iterator[str]:
    """Where MongoDB is, for the time of the context.

    Raises:
        Unavailable: The embedded one cannot be started.
    """
    if settings.mongodb_uri is not None:
        yield settings.mongodb_uri.get_secret_value()
        return
    from etlml.store.mongod import EmbeddedMongod

    settings.make_folders()
    server = EmbeddedMongod(settings.mongod_dir)
    uri = server.start()
    try:
        yield uri
    finally:
        server.stop()


@contextmanager
def open_session(settings: Settings) -> Iterator["Store"]:
    """A store on that MongoDB, its indexes made; closed at the end."""
    from etlml.store.client import open_store

    with mongodb_uri(settings) as uri:
        store = open_store(uri, settings.database)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def open_services(settings: Settings) -> Iterator["Services"]:
    """All use cases on that store, with the example workspace that a new installation starts with."""
    from etlml.services import Services

    settings.make_folders()
    with open_session(settings) as store:
        services = Services(store, settings)
        services.workspace.install_examples()
        yield services
