"""What stays behind where pipelines are deleted or changed, and nobody would ever read again."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etlml.store.client import Store

UNKNOWN = "unknown"
"""Stands for the pipeline of a webhook call whose token is nobody's."""
_ARRIVALS, _DRAFT = "arrivals:", "draft."


def arrivals_key(pipeline_id: str, path: str) -> str:
    """The setting that holds the files which a trigger has seen."""
    return f"{_ARRIVALS}{pipeline_id}:{path}"


def draft_key(user: str, pipeline_id: str) -> str:
    """The setting that holds a person's unsaved edits of a pipeline."""
    return f"{_DRAFT}{user}.{pipeline_id}"


def sweep(store: "Store") -> int:
    """Remove it; how much there was.

    Each thing is looked for before the pipelines are, so that what a new pipeline has is not taken for a leftover.
    """
    settings = store.settings.keys(_ARRIVALS, _DRAFT)
    marks = list(store.schedules.last_fires())
    calls = [each for each in store.webhook_calls.pipeline_ids() if each != UNKNOWN]
    there = set(store.pipelines.ids_by_name().values())
    awaited = {
        arrivals_key(pipeline.id, str(trigger.path))
        for pipeline in store.pipelines.triggered_by("file")
        for trigger in pipeline.triggers
        if trigger.kind == "file"
    }
    drafts = [key for key in settings if key.startswith(_DRAFT) and key.rpartition(".")[2] not in there]
    seen = [key for key in settings if key.startswith(_ARRIVALS) and key not in awaited]
    for key in [*drafts, *seen]:
        store.settings.delete(key)
    for pipeline_id in set(marks) - there:
        store.schedules.delete(pipeline_id)
    for pipeline_id in set(calls) - there:
        store.webhook_calls.forget(pipeline_id)
    return len(drafts) + len(seen) + len({*marks} - there) + len({*calls} - there)
