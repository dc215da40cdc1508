"""Named access to outside systems; secrets are references, never values."""

from etlml.documents import Connection
from etlml.store.base import NamedStore
from etlml.store.paging import Page, contains, matching


class ConnectionStore(NamedStore[Connection]):
    """Connections by id or unique name."""

    model = Connection
    kind = "connection"

    def list(
        self, *, q: str | None = None, kind: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Connection]:
        """Connections, newest first; ``q`` is looked for in name and description."""
        filter_ = matching(kind=kind)
        if q:
            filter_["$or"] = [{field: contains(q)} for field in ("name", "description")]
        return self._page(filter_, limit=limit, cursor=cursor)
