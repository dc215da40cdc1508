"""Makes claimed runs ready: the pipeline as it was then, what is there already, and all that a run needs around it."""

from functools import partial
from typing import TYPE_CHECKING

from etlml.clock import Clock
from etlml.compute.children import Children
from etlml.compute.spare import SpareDatabase
from etlml.documents import Run, Validation
from etlml.engine.journal import Journal
from etlml.engine.patience import patiently
from etlml.engine.results import Results
from etlml.engine.run_log import log_step
from etlml.engine.runner import Runner
from etlml.engine.surroundings import Surroundings
from etlml.engine.tracker import StoreTracker
from etlml.redaction import without_secrets
from etlml.settings import Settings, environment_secret
from etlml.steps.base import Tracker
from etlml.steps.templating import run_references

if TYPE_CHECKING:
    from etlml.store.client import Store


class Preparation:
    """Makes the runners of runs; safe to use from many threads.

    Args:
        settings: Folders.
        store: The truth.
        children: The worker's child processes.
        databases: Opens a run's database.
        now: The clock.
    """

    def __init__(
        self, settings: Settings, store: "Store", children: Children, databases: SpareDatabase, now: Clock
    ) -> None:
        self._settings, self._store, self._now = settings, store, now
        self._children, self._databases = children, databases

    def runner(self, run: Run, *, memory_bytes: int) -> Runner:
        """What executes a run, with secrets at hand; results are told apart with secrets masked."""
        version = patiently(lambda: self._store.pipelines.version(run.pipeline_id, run.pipeline_version))
        references = partial(
            run_references,
            run_id=run.id,
            pipeline=run.pipeline_name,
            moment=run.scheduled_for or run.created_at,
            params={**version.document.params, **run.params},
        )
        folders = self._settings.runs_dir, self._settings.data_dir
        results = Results(references(), self._store.checkpoints, *folders, self._now)
        journal = Journal(run, self._store.runs, self._now)
        around = self._surroundings(results, memory_bytes)
        return Runner(run, version.document, references(secret=environment_secret), journal, around)

    def _surroundings(self, results: Results, memory_bytes: int) -> Surroundings:
        return Surroundings(
            runs_dir=self._settings.runs_dir,
            data_dir=self._settings.data_dir,
            memory_bytes=memory_bytes,
            children=self._children,
            tracker=self._tracker,
            log=log_step,
            keep_validation=self._keep_validation,
            find_results=results.find,
            keep_result=results.keep,
            databases=self._databases,
            now=self._now,
        )

    def _tracker(self, run: Run, step_id: str) -> Tracker:
        return StoreTracker(self._store, run, step_id, self._settings.models_dir, self._now)

    def _keep_validation(self, run: Run, step_id: str, validation: Validation) -> None:
        about = {"pipeline_id": run.pipeline_id, "run_id": run.id, "step_id": step_id}
        kept = Validation.model_validate(without_secrets(validation.model_dump() | about))
        patiently(lambda: self._store.validations.add(kept))
