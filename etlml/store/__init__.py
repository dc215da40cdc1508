"""MongoDB, and the only code that knows it: one module a collection, errors translated once."""

from etlml.store.answering import hurried
from etlml.store.client import Store, open_store
from etlml.store.paging import Page

__all__ = ["Page", "Store", "hurried", "open_store"]
