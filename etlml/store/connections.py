"""Named access to outside systems; secrets are references, never values."""

from etlml.documents import Connection
from etlml.store.base import NamedStore


class ConnectionStore(NamedStore[Connection]):
    """Connections by id or unique name."""

    model = Connection
    kind = "connection"
