"""Drafts: what is edited, what is stale, what comes back."""

from typing import Any

from etlml.documents import PipelineDraft, Step
from etlml.ui import drafts
from etlml.ui.drafts import Draft


def a_draft(*steps: dict[str, Any]) -> Draft:
    document = PipelineDraft.model_validate({"name": "p", "steps": list(steps)})
    placed = document.model_copy(update={"steps": drafts.with_needs(document.steps)})
    return Draft("id", 1, placed, placed)


ROWS = {"id": "rows", "type": "extract"}
KEPT = {"id": "kept", "type": "transform"}


def test_a_fresh_draft_has_nothing_to_save() -> None:
    assert not a_draft(ROWS).is_dirty


def test_an_edit_and_its_undoing_leave_nothing_to_save() -> None:
    draft = a_draft(ROWS)
    step = draft.document.steps[0]
    draft.change_step(step.model_copy(update={"retries": 2}))
    assert draft.is_dirty
    draft.change_step(step)
    assert not draft.is_dirty


def test_an_event_of_an_older_graph_is_dropped() -> None:
    draft = a_draft(ROWS)
    draft.rev = 2
    assert not draft.apply_canvas({"rev": 1, "nodes": [], "edges": []})
    assert len(draft.document.steps) == 1


def test_undo_on_the_canvas_brings_a_step_back_as_it_was() -> None:
    draft = a_draft(ROWS, {**KEPT, "config": {"ops": [{"op": "limit", "rows": 3}]}})
    nodes = [{"id": "rows", "x": 0, "y": 0}, {"id": "kept", "x": 1, "y": 0}]
    draft.apply_canvas({"rev": 0, "nodes": nodes[:1], "edges": []})
    assert len(draft.document.steps) == 1
    draft.apply_canvas({"rev": 0, "nodes": nodes, "edges": [{"source": "rows", "target": "kept"}]})
    assert draft.document.steps[1].config == {"ops": [{"op": "limit", "rows": 3}]}
    assert draft.document.steps[1].needs == ["rows"]


def test_a_new_id_selects_the_step_under_it() -> None:
    draft = a_draft(ROWS, KEPT)
    draft.change_step(draft.document.steps[0].model_copy(update={"id": "orders"}), old_id="rows")
    assert [step.needs for step in draft.document.steps] == [[], ["orders"]]
    assert draft.selected == "orders"


def test_a_step_gets_another_name_and_its_form_is_drawn_anew() -> None:
    draft = a_draft(ROWS, KEPT)
    draft.rename_step("kept", "Only these")
    assert ([step.name for step in draft.document.steps], draft.form) == (["rows", "Only these"], 1)
    draft.rename_step("kept", " ")
    draft.rename_step("nowhere", "x")
    assert [step.name for step in draft.document.steps] == ["rows", "kept"]


def test_what_follows_a_changed_step_is_stale_and_nothing_else() -> None:
    def steps(retried: dict[str, Any]) -> list[Step]:
        shapes = [ROWS, KEPT, {"id": "after", "type": "load"}, {"id": "other", "type": "extract", "needs": []}]
        return [Step.model_validate({**shape, **(retried if shape is KEPT else {})}) for shape in shapes]

    assert drafts.stale_steps(steps({"config": {"ops": []}}), steps({})) == {"kept", "after"}
    assert drafts.stale_steps(steps({"position": {"x": 5, "y": 5}}), steps({})) == set()
