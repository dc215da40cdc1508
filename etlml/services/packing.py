"""Packs: everything that people made here in one file, and that file's content brought up elsewhere."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from etlml.clock import utc_now
from etlml.documents import Connection, Pipeline, PipelineVersion, Stored
from etlml.engine.preferences import KEY as PREFERENCES
from etlml.errors import EtlmlError, InvalidInput
from etlml.services.audit import AuditService
from etlml.services.connections import ConnectionService, without_plain_secrets
from etlml.services.models import ModelService
from etlml.services.pack_file import PackReader, PackWriter, reading, writing
from etlml.services.packed import valid_document
from etlml.services.preferences import PreferenceService
from etlml.services.principals import LOCAL_NAME
from etlml.services.unpacking import Outcome, Unpacking
from etlml.settings import Settings
from etlml.sizes import size
from etlml.store import Page, Store

S = TypeVar("S", bound=Stored)


@dataclass
class Packed:
    """What went into a pack; ``notes`` says what was left out, and why."""

    path: Path
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return self.path.stat().st_size


class PackService:
    """Packs an installation and unpacks packs; what is there already is left alone unless it is to be replaced."""

    def __init__(
        self,
        store: Store,
        audit: AuditService,
        environment: Settings,
        connections: ConnectionService,
        preferences: PreferenceService,
        models: ModelService,
    ) -> None:
        self._store = store
        self._audit = audit
        self._environment = environment
        self._connections = connections
        self._preferences = preferences
        self._models = models

    def pack(self, path: Path, *, runs: bool = False, experiments: bool = False, author: str = LOCAL_NAME) -> Packed:
        """Write pipelines, connections, preferences and models.

        With ``runs`` also ended runs with their checkpoints; with ``experiments`` also ended experiments with their metrics.

        Tokens of webhooks and secrets stay here; references to secrets go along.

        Raises:
            InvalidInput: The file cannot be written.
        """
        done = Packed(path)
        with writing(path, utc_now()) as writer:
            pipelines = [*_all(self._store.pipelines.list)]
            done.counts["pipelines"] = writer.add_documents("pipelines", map(_without_tokens, pipelines))
            done.counts["connections"] = writer.add_documents("connections", self._packed_connections(done))
            stored = self._store.settings.get(PREFERENCES)
            preferences = [] if stored is None else [self._preferences.get().model_dump(mode="json")]
            done.counts["preferences"] = writer.add_documents("preferences", preferences)
            models = [*self._packed_models(writer, done)]
            done.counts["models"] = writer.add_documents("models", models)
            if runs:
                versions = [each for one in pipelines for each in self._store.pipelines.versions(one.id)]
                writer.add_documents("versions", map(_version_without_tokens, versions))
                packed_runs = [*self._packed_runs(writer, done)]
                done.counts["runs"] = writer.add_documents("runs", packed_runs)
            if experiments:
                done.counts["experiments"] = writer.add_documents("experiments", self._packed_experiments(done))
        self._audit.record(author, "packed", "pack", path.name, **done.counts)
        return done

    def unpack(
        self, path: Path, *, replace: bool = False, dry_run: bool = False, author: str = LOCAL_NAME
    ) -> list[Outcome]:
        """Bring up what a pack holds; it may be repeated, also after it was interrupted.

        The pack is checked whole before anything is changed; with ``dry_run`` nothing is.

        Raises:
            DataUnreadable: The file is missing, no pack, or damaged.
            InvalidInput: A newer version wrote it, or the disk is too full.
        """
        with reading(path) as pack:
            self._check_space(pack)
            work = Unpacking(self._store, self._environment, pack, replace=replace, author=author, dry_run=dry_run)
            work.check()
            outcomes = [
                *(self._unpacked_connection(each, replace, dry_run, author) for each in pack.documents("connections")),
                *(work.pipeline(each) for each in pack.documents("pipelines")),
                *(work.experiment(each) for each in pack.documents("experiments")),
                *(work.model(each) for each in pack.documents("models")),
                *(work.run(each) for each in pack.documents("runs")),
                *(self._unpacked_preferences(each, replace, dry_run, author) for each in pack.documents("preferences")),
            ]
        if dry_run:
            return outcomes
        counts = {
            change: sum(each.change == change for each in outcomes) for change in ("created", "replaced", "skipped")
        }
        self._audit.record(author, "unpacked", "pack", path.name, **counts)
        return outcomes

    def _packed_connections(self, done: Packed) -> Iterator[dict[str, Any]]:
        for connection in _all(self._store.connections.list):
            clean, dropped = without_plain_secrets(connection)
            if dropped:
                done.notes.append(
                    f"Connection {connection.name!r} goes without {', '.join(dropped)}: a secret in plain text."
                )
            yield clean.model_dump(mode="json")

    def _packed_models(self, writer: PackWriter, done: Packed) -> Iterator[dict[str, Any]]:
        for model in _all(self._store.models.list):
            try:
                name = writer.add_file(self._models.file(model))
            except (EtlmlError, OSError):
                done.notes.append(f"Model {model.name!r} {model.version} is left out: its file is gone.")
                continue
            if model.file_sha256 and writer.sha256(name) != model.file_sha256:
                done.notes.append(f"Model {model.name!r} {model.version} is left out: its file is damaged.")
                continue
            yield {"document": model.model_dump(mode="json") | {"file_path": ""}, "file": name}

    def _packed_runs(self, writer: PackWriter, done: Packed) -> Iterator[dict[str, Any]]:
        for run in _all(self._store.runs.list):
            if not run.is_final:
                done.notes.append(f"Run {run.id} of {run.pipeline_name} is left out: it is {run.status}.")
                continue
            files = {}
            for checkpoint in {step.checkpoint for step in run.steps if step.checkpoint}:
                path = self._environment.runs_dir / checkpoint
                if path.is_file():
                    files[checkpoint] = writer.add_file(path)
            yield {"document": run.model_dump(mode="json"), "files": files}

    def _packed_experiments(self, done: Packed) -> Iterator[dict[str, Any]]:
        points = self._store.metric_points
        for experiment in _all(self._store.experiments.list):
            if experiment.status == "running":
                done.notes.append(f"Experiment {experiment.name!r} is left out: it is running.")
                continue
            series = {
                key: [[point.step, point.value, point.ts.isoformat()] for point in points.series(experiment.id, key)]
                for key in points.keys(experiment.id)
            }
            yield {"document": experiment.model_dump(mode="json"), "series": series}

    def _check_space(self, pack: PackReader) -> None:
        needed = sum(entry.bytes for name, entry in pack.manifest.entries.items() if name.startswith("files/"))
        free = shutil.disk_usage(self._environment.home).free
        if needed > free:
            raise InvalidInput(
                f"The pack holds files of {size(needed)}, but only {size(free)} are free. Make room first."
            )

    def _unpacked_connection(self, document: dict[str, Any], replace: bool, dry_run: bool, author: str) -> Outcome:
        connection = valid_document(Connection, document, "connection")
        content = connection.model_dump(include={"name", "kind", "config", "secrets", "description"})
        there = connection.name in self._store.connections.names()
        if there and not replace:
            return Outcome("connection", connection.name, "skipped", "it is there already")
        try:
            if dry_run:
                pass
            elif there:
                self._connections.update(connection.name, content, author=author)
            else:
                self._connections.create(content, author=author)
        except EtlmlError as error:
            return Outcome("connection", connection.name, "skipped", error.message)
        return Outcome("connection", connection.name, "replaced" if there else "created")

    def _unpacked_preferences(self, document: dict[str, Any], replace: bool, dry_run: bool, author: str) -> Outcome:
        there = self._store.settings.get(PREFERENCES) is not None
        if there and not replace:
            return Outcome("settings", PREFERENCES, "skipped", "they are set already")
        try:
            if not dry_run:
                self._preferences.update(document, author=author)
        except InvalidInput as error:
            return Outcome("settings", PREFERENCES, "skipped", error.message)
        return Outcome("settings", PREFERENCES, "replaced" if there else "created")


def _all(list_: Callable[..., Page[S]]) -> Iterator[S]:
    cursor = None
    while True:
        page = list_(limit=200, cursor=cursor)
        yield from page.items
        if (cursor := page.next_cursor) is None:
            return


def _without_tokens(pipeline: Pipeline) -> dict[str, Any]:
    return pipeline.model_copy(update={"triggers": _bare(pipeline.triggers)}).model_dump(mode="json")


def _version_without_tokens(version: PipelineVersion) -> dict[str, Any]:
    document = version.document.model_copy(update={"triggers": _bare(version.document.triggers)})
    return version.model_copy(update={"document": document}).model_dump(mode="json")


def _bare(triggers: Sequence[Any]) -> list[Any]:
    return [each.model_copy(update={"token_hash": None}) for each in triggers]
