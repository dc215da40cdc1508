"""The way into the platform for a new person: three steps, and how far they have come."""

from dataclasses import dataclass

from etlml.services.workspace import AUTHOR
from etlml.store import Store


@dataclass(frozen=True)
class GuideState:
    """How far somebody has come.

    Attributes:
        run_id: A run that succeeded, if there is one.
        ran: Whether anything was run to success.
        looked: Whether the result of a run was looked at.
        built: Whether there is a pipeline that is not an example.
        dismissed: Whether the guide was sent away.
    """

    run_id: str | None
    looked: bool
    built: bool
    dismissed: bool

    @property
    def ran(self) -> bool:
        return self.run_id is not None

    @property
    def steps(self) -> tuple[bool, bool, bool]:
        """Which of the three steps are done: run, look, build."""
        return self.ran, self.ran and self.looked, self.built

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to try."""
        return all(self.steps)


class GuideService:
    """Each person's own guide."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def state(self, person: str) -> GuideState:
        """How far they have come."""
        kept = self._store.settings.get(_key(person), {}) or {}
        runs = self._store.runs.list(status="success", limit=1, with_steps=False).items
        return GuideState(
            run_id=runs[0].id if runs else None,
            looked=bool(kept.get("looked")),
            built=bool(kept.get("built")) or self._built(person),
            dismissed=bool(kept.get("dismissed")),
        )

    def note(self, person: str, **what: bool) -> None:
        """Remember what they did: ``looked``, ``dismissed``."""
        kept = self._store.settings.get(_key(person), {}) or {}
        changed = {**kept, **what}
        if changed != kept:
            self._store.settings.set(_key(person), changed)

    def _built(self, person: str) -> bool:
        """Whether anybody created a pipeline that is not an example; asked until it is so."""
        made = self._store.audit.list(kind="pipeline", action="created", limit=20).items
        if any(entry.actor != AUTHOR for entry in made):
            self.note(person, built=True)
            return True
        return False


def _key(person: str) -> str:
    return f"guide:{person}"
