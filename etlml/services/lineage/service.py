"""The lineage of stored pipelines and of drafts."""

from collections.abc import Mapping
from typing import Any

from etlml.documents import Pipeline, PipelineDraft
from etlml.errors import EtlmlError
from etlml.services.drafts import draft_from
from etlml.services.lineage.building import lineage_of
from etlml.services.lineage.graph import LineageGraph
from etlml.services.lineage.trails import Trail, trail
from etlml.services.pipelines import PipelineService
from etlml.services.script.known import LastRun, result_schema
from etlml.settings import Settings
from etlml.store import Store


class LineageService:
    """Tells where columns come from and where they go."""

    def __init__(self, store: Store, pipelines: PipelineService, environment: Settings) -> None:
        self._store = store
        self._pipelines = pipelines
        self._environment = environment

    def of(self, document: str | PipelineDraft | Mapping[str, Any]) -> LineageGraph:
        """The lineage of a stored pipeline (by name or id), or of a document that need not be saved.

        Raises:
            PipelineInvalid: A document has a field that is unknown or of the wrong kind.
        """
        found = self._pipelines.get(document) if isinstance(document, str) else document
        last = self._last_run(found) if isinstance(found, Pipeline) else LastRun()
        draft = found.draft() if isinstance(found, Pipeline) else draft_from(found)

        def schema_of(step: str, config: Any, inputs: Any) -> Any:
            try:
                return result_schema(step, config, inputs, self._environment.data_dir, last)
            except EtlmlError:
                if any(schema is None for schema in inputs.values()) or not inputs:
                    return None
                raise

        return lineage_of(draft, schema_of)

    def trail(self, document: str | PipelineDraft | Mapping[str, Any], step: str, column: str) -> Trail:
        """The way of one column: where it comes from, through what, and where it goes.

        Raises:
            NotFound, ColumnMissing: There is no such step, or it has no such column.
        """
        return trail(self.of(document), step, column)

    def _last_run(self, pipeline: Pipeline) -> LastRun:
        run = self._store.runs.latest_of([pipeline.id]).get(pipeline.id)
        is_same = run is not None and run.pipeline_version == pipeline.version
        whole = self._store.runs.get(run.id) if run is not None and is_same else None
        return LastRun(whole, self._environment.runs_dir)
