"""The last runs of each pipeline of a list, with few queries."""

from collections.abc import Sequence

from etlml.documents import Pipeline, Run
from etlml.services import Services

SHOWN = 12
_AT_ONCE = 200


def recent_runs(services: Services, pipelines: Sequence[Pipeline]) -> dict[str, list[Run]]:
    """The newest runs by pipeline, newest first: one query for most, one more for each that runs rarely."""
    found: dict[str, list[Run]] = {pipeline.id: [] for pipeline in pipelines}
    for run in services.store.runs.list(limit=_AT_ONCE, with_steps=False).items:
        if len(found.get(run.pipeline_id, [None] * SHOWN)) < SHOWN:
            found[run.pipeline_id].append(run)
    for pipeline in pipelines:
        if pipeline.run_count > len(found[pipeline.id]) < SHOWN:
            found[pipeline.id] = list(
                services.store.runs.list(pipeline_id=pipeline.id, limit=SHOWN, with_steps=False).items
            )
    return found
