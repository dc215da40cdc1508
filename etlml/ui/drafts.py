"""What somebody edits before it is saved: kept in the database at every edit, so that a refresh or a restart loses nothing."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from etlml.compute.schema import Schema
from etlml.documents import Pipeline, PipelineDraft, Step
from etlml.engine.leftovers import draft_key
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.steps.graph import resolved_needs
from etlml.ui import columns, draft_windows, graph
from etlml.ui.templates import TEMPLATES

_LOOK_AGAIN_S = 5.0


@dataclass
class Draft:
    """A pipeline as it is being edited.

    Attributes:
        version: The saved version that it started from.
        kept: Every step that was ever here, by id: the canvas's undo brings them back.
        rev: Goes up when the graph is changed from outside the canvas.
        form: Goes up when a configuration is changed from outside its form.
        choice: Goes up when a step is selected from outside the canvas.
        stamp: Of what this window last put into the database, or read there: another one is another window's.
        is_apart: Whether another window has put something else there.
    """

    pipeline_id: str
    version: int
    saved: PipelineDraft
    document: PipelineDraft
    kept: dict[str, Step] = field(default_factory=dict)
    rev: int = 0
    form: int = 0
    choice: int = 0
    selected: str | None = None
    stamp: str = ""
    is_apart: bool = False
    _kept: PipelineDraft | None = None
    _looked: tuple[PipelineDraft, float, list[dict[str, Any]], dict[str, Schema | None]] | None = None

    def looked_into(self, services: Services) -> tuple[list[dict[str, Any]], dict[str, Schema | None]]:
        """What is wrong with it, and each step's columns; asked again when it changed, and every few seconds, as files do."""
        now = time.monotonic()
        if self._looked is None or self._looked[0] is not self.document or now - self._looked[1] > _LOOK_AGAIN_S:
            problems = services.pipelines.validate(self.document)["problems"] if self.document.steps else []
            self._looked = (
                self.document,
                now,
                problems,
                columns.output_columns(self.document, services.environment.data_dir),
            )
        return self._looked[2], self._looked[3]

    @property
    def is_dirty(self) -> bool:
        """Whether there is anything to save."""
        return self.document != self.saved

    def step(self, step_id: str | None) -> Step | None:
        """The step of that id."""
        return next((step for step in self.document.steps if step.id == step_id), None)

    def change(self, **fields: Any) -> None:
        """Put new values into the document."""
        self.kept.update({step.id: step for step in self.document.steps})
        changed = self.document.model_copy(update=fields)
        if changed != self.document:
            self.document = changed

    def change_step(self, step: Step, *, old_id: str | None = None) -> None:
        """Put a changed step in its place; a new id is carried into the needs of the others."""
        steps = self.document.steps
        if old_id is not None and old_id != step.id:
            steps = graph.renamed(steps, old_id, step.id)
            self.rev += 1
            self.choice += 1
            self.selected = step.id
        self.change(steps=[step if one.id == step.id else one for one in steps])

    def rename_step(self, step_id: str, name: str) -> None:
        """Give a step another name; its id stays."""
        step = self.step(step_id)
        if step is not None and step.name != name:
            self.change_step(step.model_copy(update={"name": name.strip() or step.id}))
            self.form += 1

    def apply_canvas(self, event: Mapping[str, Any] | None) -> bool:
        """Take over what was done on the canvas; an event of an older graph is dropped."""
        if not event or event.get("rev") != self.rev:
            return False
        self.change(steps=graph.merged(self.document.steps, self.kept, event, TEMPLATES))
        return True

    def is_stored(self) -> None:
        """Note that the database has it as it is."""
        self._kept = self.document

    def replace(self, document: PipelineDraft) -> None:
        """Put a whole other document in its place (YAML, an earlier version, what is saved)."""
        self.change(**{name: getattr(document, name) for name in PipelineDraft.model_fields})
        self.rev += 1
        self.form += 1


def opened(services: Services, pipeline: Pipeline, user: str) -> Draft:
    """The session's draft of a pipeline: the one it has, the one in the database, or a fresh one."""
    key = f"draft:{pipeline.id}"
    known: Draft | None = st.session_state.get(key)
    if known is None:
        known = _stored(services, pipeline, user) or _fresh(pipeline)
        st.session_state[key] = known
    elif known.version != pipeline.version and not known.is_dirty:
        known.version, known.saved = pipeline.version, _placed(pipeline.draft())
        known.replace(known.saved)
    return known


def _fresh(pipeline: Pipeline) -> Draft:
    document = _placed(pipeline.draft())
    return Draft(pipeline.id, pipeline.version, document, document)


def _stored(services: Services, pipeline: Pipeline, user: str) -> Draft | None:
    try:
        found = services.store.settings.get(draft_key(user, pipeline.id))
        if not found:
            return None
        stored = _fresh(pipeline)
        stored.document = PipelineDraft.model_validate(found["document"])
        stored.version, stored.stamp = int(found["version"]), str(found.get("stamp") or "")
    except (EtlmlError, ValueError, TypeError, KeyError):
        return None
    return stored


def is_behind(draft: Draft, pipeline: Pipeline) -> bool:
    """Whether there is something to save that stands on a version which is no longer the newest."""
    return draft.is_dirty and draft.version != pipeline.version


def catch_up(draft: Draft, pipeline: Pipeline) -> None:
    """Let the draft stand on the newest version, with all of it as it is: saved, it replaces that version."""
    draft.version, draft.saved = pipeline.version, _placed(pipeline.draft())


def keep(services: Services, draft: Draft, user: str) -> None:
    """Put the draft into the database, or take it out where there is nothing to save; nothing happens if it is there."""
    if draft._kept is draft.document:
        return
    draft.is_stored()
    draft_windows.keep(services, draft, user)


def save(services: Services, draft: Draft, user: str) -> Pipeline:
    """Save the draft as the next version; PipelineInvalid, VersionConflict as the service says."""
    draft._kept = None  # another tab may have put something else there, or taken it out
    try:
        pipeline = services.pipelines.update(
            draft.pipeline_id, draft.document, expected_version=draft.version, author=user
        )
        draft.version, draft.saved = pipeline.version, draft.document
    finally:
        keep(services, draft, user)
    return pipeline


def stand_on(services: Services, draft: Draft, pipeline: Pipeline, user: str, **fields: Any) -> None:
    """Let the draft stand on a version that was saved beside it: these fields are taken over, its other edits stay."""
    draft.version, draft.saved = pipeline.version, _placed(pipeline.draft())
    draft.document = draft.document.model_copy(update=fields)
    keep(services, draft, user)


def discard(services: Services, pipeline: Pipeline, draft: Draft, user: str) -> None:
    """Go back to what is saved."""
    draft.version, draft.saved = pipeline.version, _placed(pipeline.draft())
    draft.replace(draft.saved)
    keep(services, draft, user)


def _placed(document: PipelineDraft) -> PipelineDraft:
    """The document with each step's needs written out: the canvas draws them, and moving steps must not change them."""
    return document.model_copy(update={"steps": with_needs(document.steps)})


def stale_steps(steps: Sequence[Step], ran: Sequence[Step]) -> set[str]:
    """The steps whose result of an earlier run no longer fits: they or a step before them were changed since."""
    before = {step.id: (step.type, step.config, tuple(resolved_needs(ran)[step.id])) for step in ran}
    needs = resolved_needs(steps)
    changed = {step.id for step in steps if before.get(step.id) != (step.type, step.config, needs[step.id])}
    grown = True
    while grown:
        more = {step.id for step in steps if step.id not in changed and changed.intersection(needs[step.id])}
        grown = bool(more)
        changed |= more
    return changed


def with_needs(steps: Sequence[Step]) -> list[Step]:
    """The steps with their needs written out."""
    needs = resolved_needs(steps)
    return [step.model_copy(update={"needs": list(needs[step.id])}) for step in steps]
