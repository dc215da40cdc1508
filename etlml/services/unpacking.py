"""What becomes of the things in a pack: pipelines, models and runs on their way into a store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from etlml.clock import new_id, utc_now
from etlml.documents import Connection, Model, Pipeline, PipelineVersion
from etlml.errors import Conflict, NotFound
from etlml.services.pack_file import PackReader
from etlml.services.packed import checkpoint_place, read_experiment, read_model, read_run, valid_document
from etlml.settings import Settings
from etlml.steps.check import check_pipeline
from etlml.store import Store

Change = Literal["created", "replaced", "skipped"]
POINTS_AT_ONCE = 5000


@dataclass(frozen=True)
class Outcome:
    """What became of one thing of a pack."""

    kind: str
    name: str
    change: Change
    note: str = ""


class Unpacking:
    """One pack on its way into one store.

    Args:
        store: Where the documents go.
        environment: Says where files go.
        pack: A checked pack.
        replace: Whether the pack's things take the place of those of the same name.
        author: Who asks.
        dry_run: Whether only to say what would become of each thing.
    """

    def __init__(
        self,
        store: Store,
        environment: Settings,
        pack: PackReader,
        *,
        replace: bool,
        author: str,
        dry_run: bool = False,
    ) -> None:
        self._store = store
        self._environment = environment
        self._pack = pack
        self._replace = replace
        self._author = author
        self._dry_run = dry_run
        self._pipeline_ids: dict[str, str] = {}
        self._versions: dict[str, list[PipelineVersion]] = {}
        for document in pack.documents("versions"):
            version = valid_document(PipelineVersion, document, "version")
            self._versions.setdefault(version.pipeline_id, []).append(version)

    def check(self) -> None:
        """Look at every document before the first one is used.

        Raises:
            DataUnreadable: One is none, or names a file that it may not.
        """
        for document in self._pack.documents("connections"):
            valid_document(Connection, document, "connection")
        for document in self._pack.documents("pipelines"):
            valid_document(Pipeline, document, "pipeline")
        for line in self._pack.documents("models"):
            read_model(self._pack, line)
        for line in self._pack.documents("runs"):
            read_run(self._pack, line, self._environment.runs_dir)
        for line in self._pack.documents("experiments"):
            read_experiment(line)
        for _ in self._pack.documents("preferences"):
            pass  # what it holds is judged when it is set

    def pipeline(self, document: dict[str, Any]) -> Outcome:
        """Bring up a pipeline; one of its name stays, or gets the pack's content as its next version."""
        pipeline = valid_document(Pipeline, document, "pipeline")
        pipeline.triggers = [each.model_copy(update={"token_hash": None}) for each in pipeline.triggers]
        try:
            there = self._store.pipelines.find(pipeline.name)
        except NotFound:
            there = None
        if there is not None and there.name == pipeline.name:
            self._pipeline_ids[pipeline.id] = there.id
            return self._replaced_pipeline(there, pipeline)
        if problems := check_pipeline(pipeline.draft()):
            return Outcome("pipeline", pipeline.name, "skipped", problems[0]["message"])
        packed_id = pipeline.id
        if self._store.pipelines.get_many([packed_id]):
            pipeline.id = new_id()
        self._pipeline_ids[packed_id] = pipeline.id
        if not self._dry_run:
            self._store.in_transaction(lambda: self._add_pipeline(pipeline, packed_id))
        return Outcome("pipeline", pipeline.name, "created")

    def model(self, line: dict[str, Any]) -> Outcome:
        """Bring up a model's version with its file."""
        model, packed = read_model(self._pack, line)
        name = f"{model.name} {model.version}"
        sha256 = self._pack.entry(packed).sha256
        there = self._store.models.list(name=model.name, limit=1000).items
        same = next((each for each in there if each.version == model.version), None)
        if same is not None and not self._replace:
            return Outcome("model", name, "skipped", "it is there already")
        if self._dry_run:
            return Outcome("model", name, "created" if same is None else "replaced")
        target = self._environment.models_dir / model.name / f"{model.version}-{sha256[:12]}.skops"
        self._pack.copy_file(packed, target)
        self._store.in_transaction(lambda: self._add_model(model, same, target, sha256))
        return Outcome("model", name, "created" if same is None else "replaced")

    def run(self, line: dict[str, Any]) -> Outcome:
        """Bring up an ended run with its checkpoints; one that is there stays, whatever is asked."""
        run, files = read_run(self._pack, line, self._environment.runs_dir)
        if self._store.runs.get_many([run.id]):
            return Outcome("run", run.id, "skipped", "it is there already")
        if self._dry_run:
            return Outcome("run", run.id, "created")
        for target, name in files.items():
            if not target.exists():
                self._pack.copy_file(name, target)
        for step in run.steps:
            step.checkpoint = (
                step.checkpoint
                if step.checkpoint and checkpoint_place(step.checkpoint, self._environment.runs_dir).exists()
                else None
            )
        run.pipeline_id = self._pipeline_ids.get(run.pipeline_id, run.pipeline_id)
        run.worker, run.lease_until, run.cancel_requested = None, None, False
        try:
            self._store.runs.add(run)
        except Conflict as error:
            return Outcome("run", run.id, "skipped", error.message)
        return Outcome("run", run.id, "created")

    def experiment(self, line: dict[str, Any]) -> Outcome:
        """Bring up an ended experiment with its metrics; one that is there stays, whatever is asked."""
        experiment, points = read_experiment(line)
        if self._store.experiments.get_many([experiment.id]):
            return Outcome("experiment", experiment.name, "skipped", "it is there already")
        if not self._dry_run:
            pipeline_id = self._pipeline_ids.get(experiment.pipeline_id or "", experiment.pipeline_id)
            self._store.metric_points.delete_of([experiment.id])  # of an unpacking that was interrupted
            for start in range(0, len(points), POINTS_AT_ONCE):
                self._store.metric_points.add_many(points[start : start + POINTS_AT_ONCE])
            self._store.experiments.add(experiment.model_copy(update={"pipeline_id": pipeline_id}))
        return Outcome("experiment", experiment.name, "created")

    def _replaced_pipeline(self, there: Pipeline, packed: Pipeline) -> Outcome:
        if not self._replace:
            return Outcome("pipeline", packed.name, "skipped", "it is there already")
        if problems := check_pipeline(packed.draft()):
            return Outcome("pipeline", packed.name, "skipped", problems[0]["message"])
        draft = packed.draft()
        webhooks = [each for each in there.triggers if each.kind == "webhook"]
        draft.triggers = [each for each in draft.triggers if each.kind != "webhook" or not webhooks] + webhooks
        if draft == there.draft():
            return Outcome("pipeline", packed.name, "skipped", "it is the same")

        def work() -> None:
            self._store.pipelines.save(there.id, draft, author=self._author)
            self._store.pipelines.update(there.id, {"schedule_since": utc_now()})

        if not self._dry_run:
            self._store.in_transaction(work)
        return Outcome("pipeline", packed.name, "replaced")

    def _add_pipeline(self, pipeline: Pipeline, packed_id: str) -> None:
        """A new pipeline; with its versions, where the pack has them, so that its runs can be told apart and retried."""
        versions = self._versions.get(packed_id, [])
        fields = {name: getattr(pipeline, name) for name in ("description", "version", "created_at", "updated_at")}
        fresh = Pipeline(
            id=pipeline.id, created_at=pipeline.created_at, schedule_since=utc_now(), **dict(pipeline.draft())
        )
        self._store.pipelines.add(fresh, author=self._author)
        if any(each.version == pipeline.version for each in versions):
            for version in versions:
                key = f"{pipeline.id}-{version.version}"
                self._store.versions.put(version.model_copy(update={"id": key, "pipeline_id": pipeline.id}))
            self._store.pipelines.update(pipeline.id, fields)

    def _add_model(self, model: Model, same: Model | None, target: Path, sha256: str) -> None:
        """A version of a model; an alias that another version has here stays there, unless everything is to be replaced."""
        models = self._store.models
        taken = {alias for each in models.list(name=model.name, limit=1000).items for alias in each.aliases}
        changes: dict[str, Any] = {"file_path": str(target), "file_sha256": sha256, "aliases": []}
        if model.experiment_id and not self._store.experiments.get_many([model.experiment_id]):
            changes["experiment_id"] = None
        if same is not None:
            models.delete(same.id)
        if models.get_many([model.id]):
            changes["id"] = new_id()
        models.add(model.model_copy(update=changes))
        aliases = [each for each in model.aliases if self._replace or each not in taken]
        if aliases:
            models.set_aliases(model.name, model.version, aliases)
