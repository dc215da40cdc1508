"""Pipelines: written, checked, versioned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from etlml.clock import new_id, utc_now
from etlml.documents import Pipeline, PipelineDraft, PipelineStatus, PipelineVersion
from etlml.errors import NotFound, StateConflict
from etlml.services.audit import AuditService
from etlml.services.drafts import checked_draft, problems_of
from etlml.services.principals import LOCAL_NAME
from etlml.services.version_diff import FieldChange, StepChange, changed_settings, changed_steps, yaml_diff
from etlml.services.yaml_text import from_yaml, to_yaml
from etlml.store import Page, Store
from etlml.store.pipelines import Sort as Sort

Change = Literal["created", "changed", "unchanged"]
Document = PipelineDraft | Mapping[str, Any]


@dataclass(frozen=True)
class VersionDiff:
    """What changed between two versions; ``yaml`` holds the lines of a unified diff."""

    before: int
    after: int
    settings: Sequence[FieldChange]
    steps: Sequence[StepChange]
    yaml: Sequence[str]


class PipelineService:
    """Create, change, read and delete pipelines; nothing that cannot run is ever saved."""

    def __init__(self, store: Store, audit: AuditService) -> None:
        self._store = store
        self._audit = audit

    def names(self) -> dict[str, str]:
        """The id of each pipeline, by its name."""
        return self._store.pipelines.ids_by_name()

    def list(
        self,
        *,
        q: str | None = None,
        tag: str | None = None,
        status: PipelineStatus | None = None,
        sort: Sort = "newest",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Pipeline]:
        """Pipelines whose name, description or tags hold ``q``, newest first unless another order is asked for."""
        return self._store.pipelines.list(q=q, tag=tag, status=status, sort=sort, limit=limit, cursor=cursor)

    def tags(self) -> Sequence[str]:
        """Every tag in use, sorted."""
        return self._store.pipelines.tags()

    def get(self, name_or_id: str) -> Pipeline:
        """The pipeline of that name or id; NotFound (did you mean) if there is none."""
        return self._store.pipelines.find(name_or_id)

    def create(self, document: Document, *, author: str = LOCAL_NAME, document_id: str | None = None) -> Pipeline:
        """Check a document and save it as a new pipeline, version 1.

        Args:
            document: What a person wrote.
            author: Who asks.
            document_id: The id that it gets; left out: a fresh one.

        Raises:
            PipelineInvalid: It could not run; nothing is saved.
            NameTaken: There is a pipeline of that name.
        """
        draft = checked_draft(document)
        pipeline = self._store.pipelines.add(Pipeline(id=document_id or new_id(), **_fields(draft)), author=author)
        self._audit.record(author, "created", "pipeline", pipeline.id, name=pipeline.name)
        return pipeline

    def create_from_yaml(self, text: str | bytes, *, author: str = LOCAL_NAME) -> Pipeline:
        """``create`` from YAML (or JSON, which is YAML too)."""
        return self.create(from_yaml(text), author=author)

    def copy(self, name_or_id: str, name: str, *, author: str = LOCAL_NAME, document_id: str | None = None) -> Pipeline:
        """``create`` a pipeline that does what another one does; it has no schedule, so that nothing runs twice."""
        document = self.get(name_or_id).draft().model_copy(update={"name": name, "schedule": None})
        return self.create(document, author=author, document_id=document_id)

    def update(
        self, name_or_id: str, document: Document, *, expected_version: int | None = None, author: str = LOCAL_NAME
    ) -> Pipeline:
        """Check a document and save it as the pipeline's next version; it keeps its webhook, which no document speaks of.

        Raises:
            PipelineInvalid: It could not run; nothing is saved.
            VersionConflict: The stored version is no longer ``expected_version``.
        """
        stored = self.get(name_or_id)
        draft = _with_webhook(checked_draft(document), stored)
        pipeline = self.saved(stored, draft, expected_version=expected_version, author=author)
        self._audit.record(author, "changed", "pipeline", pipeline.id, name=pipeline.name, version=pipeline.version)
        return pipeline

    def saved(self, before: Pipeline, draft: PipelineDraft, *, expected_version: int | None, author: str) -> Pipeline:
        """Save a draft as the next version as it is, unchecked and without a line in the audit log: for other services.

        Raises:
            VersionConflict: The stored version is no longer ``expected_version``.
        """
        return self._store.in_transaction(lambda: self._save(before, draft, expected_version, author))

    def _save(self, before: Pipeline, draft: PipelineDraft, expected_version: int | None, author: str) -> Pipeline:
        pipelines = self._store.pipelines
        saved = pipelines.save(before.id, draft, expected_version=expected_version, author=author)
        resumed = before.options.paused and not draft.options.paused
        if resumed or (before.schedule, before.timezone) != (draft.schedule, draft.timezone):
            return pipelines.update(saved.id, {"schedule_since": utc_now()})  # what lies before was never due
        return saved

    def apply(self, document: Document, *, author: str = LOCAL_NAME) -> tuple[Pipeline, Change]:
        """Make the pipeline of that name be as the document says: create it, change it, or leave it alone if it is so."""
        draft = checked_draft(document)
        try:
            stored = self._store.pipelines.find(draft.name)
        except NotFound:
            return self.create(draft, author=author), "created"
        if stored.draft() == _with_webhook(draft, stored):
            return stored, "unchanged"
        return self.update(stored.id, draft, expected_version=stored.version, author=author), "changed"

    def apply_yaml(self, text: str, *, author: str = LOCAL_NAME) -> tuple[Pipeline, Change]:
        """``apply`` from YAML."""
        return self.apply(from_yaml(text), author=author)

    def delete(self, name_or_id: str, *, author: str = LOCAL_NAME) -> None:
        """Delete a pipeline and its versions; its runs, models and validations stay.

        Raises:
            StateConflict: A run of it is waiting or going on.
        """
        pipeline = self.get(name_or_id)
        if active := self._store.runs.active(pipeline.id):
            raise StateConflict(
                f"Pipeline {pipeline.name!r} has a run that is {active[0].status} ({active[0].id}). "
                "Cancel it first, or wait for its end.",
                run_id=active[0].id,
            )
        self._store.pipelines.delete(pipeline.id)
        self._audit.record(author, "deleted", "pipeline", pipeline.id, name=pipeline.name)

    def versions(self, name_or_id: str) -> Sequence[PipelineVersion]:
        """Every saved version, newest first."""
        return self._store.pipelines.versions(self.get(name_or_id).id)

    def version(self, name_or_id: str, number: int) -> PipelineVersion:
        """One saved version."""
        return self._store.pipelines.version(self.get(name_or_id).id, number)

    def diff(self, name_or_id: str, before: int, after: int) -> VersionDiff:
        """What changed from one version to another; either may be the older one.

        Raises:
            NotFound: There is no such pipeline or version.
        """
        pipeline = self.get(name_or_id)
        older, newer = (self._store.pipelines.version(pipeline.id, number).document for number in (before, after))
        return VersionDiff(
            before,
            after,
            changed_settings(older, newer),
            changed_steps(older.steps, newer.steps, moves=True),
            yaml_diff(to_yaml(older), to_yaml(newer)),
        )

    def restore(self, name_or_id: str, number: int, *, author: str = LOCAL_NAME) -> Pipeline:
        """Save an earlier version's document as the next version; webhooks stay as they are, so that no old token works again."""
        stored = self.get(name_or_id)
        document = self.version(stored.id, number).document
        document.triggers = [each for each in document.triggers if each.kind != "webhook"]
        return self.update(stored.id, document, expected_version=stored.version, author=author)

    def validate(self, document: Document) -> dict[str, Any]:
        """``{"valid": bool, "problems": [{step, field, type, message}]}``; saves nothing."""
        problems = problems_of(document)
        return {"valid": not problems, "problems": problems}

    @staticmethod
    def to_yaml(pipeline: PipelineDraft) -> str:
        """The document that a person would write for this pipeline, as YAML."""
        return to_yaml(pipeline)

    @staticmethod
    def from_yaml(text: str) -> dict[str, Any]:
        """The document in a YAML text; nothing is checked but the YAML itself."""
        return from_yaml(text)


def _with_webhook(draft: PipelineDraft, stored: Pipeline) -> PipelineDraft:
    """The draft with the webhook that is in force, unless it names one: files in git know no tokens."""
    if any(each.kind == "webhook" and each.token_hash for each in draft.triggers):
        return draft
    kept = [each for each in stored.triggers if each.kind == "webhook" and each.token_hash]
    others = [each for each in draft.triggers if each.kind != "webhook" or not kept]
    return draft.model_copy(update={"triggers": [*others, *kept]})


def _fields(draft: PipelineDraft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in PipelineDraft.model_fields}
