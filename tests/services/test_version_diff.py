"""What changed between two versions: a table of examples."""

from typing import Any

import pytest

from etlml.documents import PipelineDraft, Step
from etlml.services.version_diff import FieldChange, StepChange, changed_settings, changed_steps


def steps(*documents: dict[str, Any]) -> list[Step]:
    """Steps from documents."""
    return [Step.model_validate(document) for document in documents]


READ = {"id": "read", "type": "extract", "config": {"source": {"kind": "file", "path": "a.csv"}}}
TIDY = {
    "id": "tidy",
    "type": "transform",
    "config": {"ops": [{"op": "filter", "where": "x > 1"}, {"op": "limit", "rows": 5}]},
}
SAVE = {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "a.parquet"}}}


def tidy(*ops: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """``TIDY`` with other ops."""
    return {**TIDY, "config": {"ops": list(ops)}, **changes}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([READ, TIDY], [READ, TIDY], [], id="nothing"),
        pytest.param([READ], [READ, SAVE], [StepChange("save", "added")], id="added"),
        pytest.param([READ, SAVE], [READ], [StepChange("save", "removed")], id="removed"),
        pytest.param(
            [READ, TIDY],
            [READ, tidy({"op": "filter", "where": "x > 2"}, {"op": "limit", "rows": 5})],
            [StepChange("tidy", "changed", (FieldChange("config.ops[0].where", "x > 1", "x > 2"),))],
            id="a field of an op",
        ),
        pytest.param(
            [READ, TIDY],
            [READ, tidy({"op": "drop_null"}, *TIDY["config"]["ops"])],
            [StepChange("tidy", "changed", (FieldChange("config.ops[0]", None, {"op": "drop_null"}, "added"),))],
            id="an op put first leaves the others alone",
        ),
        pytest.param(
            [READ, TIDY],
            [READ, tidy({"op": "filter", "where": "x > 1"})],
            [
                StepChange(
                    "tidy", "changed", (FieldChange("config.ops[1]", {"op": "limit", "rows": 5}, None, "removed"),)
                )
            ],
            id="an op taken away",
        ),
        pytest.param(
            [READ, TIDY],
            [READ, tidy({"op": "drop_null"}, {"op": "limit", "rows": 5})],
            [
                StepChange(
                    "tidy",
                    "changed",
                    (FieldChange("config.ops[0]", {"op": "filter", "where": "x > 1"}, {"op": "drop_null"}),),
                )
            ],
            id="an op of another kind is one change",
        ),
        pytest.param(
            [READ, {**SAVE, "retries": 0}],
            [READ, {**SAVE, "retries": 3, "cache": False}],
            [StepChange("save", "changed", (FieldChange("retries", 0, 3), FieldChange("cache", True, False)))],
            id="fields of the step itself",
        ),
        pytest.param(
            [READ, TIDY, SAVE],
            [READ, {**TIDY, "id": "clean"}, {**SAVE, "needs": ["clean"]}],
            [StepChange("clean", "renamed", (), "tidy")],
            id="a rename does not change what needs it",
        ),
        pytest.param(
            [READ, {**TIDY, "needs": ["read"]}],
            [READ, TIDY],
            [],
            id="needs that are said and needs that are meant are the same",
        ),
        pytest.param(
            [READ, TIDY, SAVE],
            [READ, TIDY, {**SAVE, "needs": ["read"]}],
            [StepChange("save", "changed", (FieldChange("needs", ["tidy"], ["read"]),))],
            id="another input",
        ),
        pytest.param(
            [READ],
            [{**READ, "config": {"source": {"kind": "file", "path": "a.csv", "delimiter": None}}}],
            [StepChange("read", "changed", (FieldChange("config.source.delimiter", None, None, "added"),))],
            id="null is not the same as left out",
        ),
        pytest.param(
            [READ],
            [{**READ, "position": {"x": 5, "y": 0}}],
            [],
            id="a place is no change",
        ),
    ],
)
def test_changed_steps_are_found(before: list[Any], after: list[Any], expected: list[StepChange]) -> None:
    assert changed_steps(steps(*before), steps(*after)) == expected


def test_moved_steps_are_listed_on_demand() -> None:
    there = {**READ, "position": {"x": 0, "y": 0}}
    here = {**READ, "position": {"x": 5, "y": 0}}
    assert changed_steps(steps(there), steps(here), moves=True) == [
        StepChange("read", "moved", (FieldChange("position.x", 0.0, 5.0),))
    ]


def test_settings_are_compared_without_tokens() -> None:
    before = PipelineDraft(name="p", params={"a": 1})
    after = PipelineDraft.model_validate(
        {
            "name": "p",
            "schedule": "@daily",
            "params": {"a": 2},
            "triggers": [{"kind": "webhook", "token_hash": "secret"}],
        }
    )
    found = changed_settings(before, after)
    assert [change.path for change in found] == ["schedule", "params.a", "triggers[0]"]
    assert "secret" not in repr(found)
