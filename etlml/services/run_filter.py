"""Which runs are meant: the one filter of every list, calendar and ranking of runs."""

from datetime import datetime
from typing import Any, TypedDict

from etlml.documents import RunStatus, TriggerKind
from etlml.errors import NotFound
from etlml.store import Store


class RunFilter(TypedDict, total=False):
    """What runs must have in common; what is left out or None does not matter."""

    pipeline: str | None
    """A name or an id."""
    status: RunStatus | None
    trigger: TriggerKind | None
    since: datetime | None
    """The earliest creation."""
    until: datetime | None
    """The creation before which they lie."""
    q: str | None
    """Looked for in the pipeline's name, the error and the reason; or the beginning of an id."""
    warned: bool
    """Whether they must have warnings."""
    backfill: str | None
    """The id of the backfill that made them."""


def stored_filter(store: Store, wanted: RunFilter) -> dict[str, Any]:
    """The filter as the store takes it: with the pipeline's id in the place of its name."""
    fields: dict[str, Any] = {**wanted}
    fields["backfill_id"] = fields.pop("backfill", None)
    pipeline = fields.pop("pipeline", None)
    return fields if pipeline is None else fields | {"pipeline_id": pipeline_id_of(store, pipeline)}


def pipeline_id_of(store: Store, name_or_id: str) -> str:
    """The id behind a name; an unknown one is taken for the id of a deleted pipeline, whose runs are still there."""
    try:
        return store.pipelines.find(name_or_id).id
    except NotFound:
        return name_or_id
