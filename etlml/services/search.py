"""Things by name, for the search over everything: few, the best first, each by an indexed query."""

from dataclasses import dataclass
from typing import Literal

from etlml.store import Store

Kind = Literal["pipeline", "run", "model", "connection"]
MOST_OF_A_KIND = 5


@dataclass(frozen=True)
class Hit:
    """One thing that was found; ``note`` tells it from its namesakes."""

    kind: Kind
    id: str
    name: str
    note: str = ""


class SearchService:
    """Finds pipelines, their latest runs, models and connections by a part of the name, runs also by id."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, q: str, *, most: int = MOST_OF_A_KIND) -> list[Hit]:
        """What matches best, at most ``most`` of a kind; without a text the latest pipelines and runs."""
        q = q.strip()[:100]
        pipelines = self._store.pipelines.list(q=q or None, limit=most).items
        found = [Hit("pipeline", one.id, one.name, one.description) for one in pipelines]
        return [*found, *self._runs(q, [one.id for one in pipelines], most), *self._named(q, most)]

    def _runs(self, q: str, pipeline_ids: list[str], most: int) -> list[Hit]:
        if not q:
            runs = list(self._store.runs.list(limit=most).items)
        else:
            runs = list(self._store.runs.get_many([q]).values())
            for pipeline_id in pipeline_ids[:2]:
                runs += self._store.runs.list(pipeline_id=pipeline_id, limit=3).items
        return [Hit("run", one.id, f"Run of {one.pipeline_name}", one.status) for one in runs[:most]]

    def _named(self, q: str, most: int) -> list[Hit]:
        """Models and connections: there are few names, so that the database need not look for parts of them."""
        if not q:
            return []
        models = [name for name in self._store.models.names() if q.lower() in name.lower()]
        connections = [name for name in self._store.connections.names() if q.lower() in name.lower()]
        return [
            *(Hit("model", name, name) for name in models[:most]),
            *(Hit("connection", name, name) for name in connections[:most]),
        ]
