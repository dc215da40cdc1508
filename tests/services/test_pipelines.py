"""What the use cases of pipelines promise."""

from datetime import timedelta
from typing import get_args

import pytest

from etlml.clock import utc_now
from etlml.documents import PipelineDraft
from etlml.errors import InvalidInput, NameTaken, NotFound, PipelineInvalid, StateConflict, VersionConflict
from etlml.services import Services
from etlml.services.pipelines import Sort
from tests.services.factories import a_document


class TestCreate:
    """Saving a new pipeline."""

    def test_gives_version_1_and_notes_the_author(self, services: Services) -> None:
        pipeline = services.pipelines.create(a_document(), author="ann")
        assert (pipeline.version, pipeline.status) == (1, "idle")
        assert services.pipelines.version("small", 1).author == "ann"
        assert [(entry.actor, entry.action) for entry in services.audit.list().items] == [("ann", "created")]

    def test_refuses_what_could_not_run_and_saves_nothing(self, services: Services) -> None:
        document = a_document()
        document["steps"][1]["config"]["ops"][0]["where"] = "y > 1"
        with pytest.raises(PipelineInvalid, match="no column 'y'") as caught:
            services.pipelines.create(document)
        assert caught.value.details["problems"][0]["step"] == "kept"
        assert services.pipelines.list().items == []

    def test_refuses_sql_that_reaches_outside(self, services: Services) -> None:
        document = a_document()
        document["steps"][1]["config"]["ops"] = [{"op": "sql", "query": "SELECT * FROM read_csv('/etc/passwd')"}]
        with pytest.raises(PipelineInvalid):
            services.pipelines.create(document)

    def test_names_every_wrong_field_at_once(self, services: Services) -> None:
        with pytest.raises(PipelineInvalid) as caught:
            services.pipelines.create(a_document(stepz=[], max_running=0))
        assert [problem["field"] for problem in caught.value.details["problems"]] == ["max_running", "stepz"]
        assert "Did you mean 'steps'" in caught.value.message

    def test_refuses_a_name_that_is_taken(self, services: Services) -> None:
        services.pipelines.create(a_document())
        with pytest.raises(NameTaken, match="already a pipeline 'small'"):
            services.pipelines.create(a_document())


class TestUpdate:
    """Saving a change."""

    def test_gives_the_next_version_and_keeps_the_one_before(self, services: Services) -> None:
        services.pipelines.create(a_document())
        changed = services.pipelines.update("small", a_document(description="new"), expected_version=1)
        assert changed.version == 2
        assert [version.document.description for version in services.pipelines.versions("small")] == ["new", ""]

    def test_refuses_a_version_that_is_no_longer_stored(self, services: Services) -> None:
        services.pipelines.create(a_document())
        services.pipelines.update("small", a_document(description="theirs"))
        with pytest.raises(VersionConflict):
            services.pipelines.update("small", a_document(description="mine"), expected_version=1)

    def test_a_changed_schedule_is_not_due_for_the_past(self, services: Services) -> None:
        before = services.pipelines.create(a_document())
        changed = services.pipelines.update("small", a_document(schedule="* * * * *"))
        assert changed.schedule_since is not None
        assert changed.schedule_since >= before.created_at
        assert (
            services.pipelines.update("small", a_document(schedule="* * * * *")).schedule_since
            == changed.schedule_since
        )

    def test_restore_saves_an_earlier_document_as_the_next_version(self, services: Services) -> None:
        services.pipelines.create(a_document())
        services.pipelines.update("small", a_document(description="new"))
        restored = services.pipelines.restore("small", 1)
        assert (restored.version, restored.description) == (3, "")


class TestApply:
    """Making a pipeline be as a file says."""

    def test_creates_then_leaves_alone_then_changes(self, services: Services) -> None:
        text = services.pipelines.to_yaml(PipelineDraft.model_validate(a_document()))
        assert services.pipelines.apply_yaml(text)[1] == "created"
        assert services.pipelines.apply_yaml(text)[1] == "unchanged"
        pipeline, change = services.pipelines.apply(a_document(tags=["a"]))
        assert (pipeline.version, change) == (2, "changed")


class TestDelete:
    """Deleting."""

    def test_refuses_while_a_run_waits(self, services: Services) -> None:
        services.pipelines.create(a_document())
        run = services.runs.start("small")
        with pytest.raises(StateConflict, match=run.id):
            services.pipelines.delete("small")
        services.runs.cancel(run.id)
        services.pipelines.delete("small")
        with pytest.raises(NotFound):
            services.pipelines.get("small")
        assert services.runs.get(run.id).status == "cancelled"

    def test_unknown_name_gets_the_nearest(self, services: Services) -> None:
        services.pipelines.create(a_document())
        with pytest.raises(NotFound, match="Did you mean 'small'"):
            services.pipelines.delete("smal")


class TestValidate:
    """Checking without saving."""

    def test_says_what_is_wrong_and_saves_nothing(self, services: Services) -> None:
        assert services.pipelines.validate(a_document()) == {"valid": True, "problems": []}
        found = services.pipelines.validate(a_document(schedule="every day"))
        assert not found["valid"]
        assert found["problems"][0]["field"] == "schedule"
        assert services.pipelines.list().items == []


class TestSort:
    def test_by_name_by_last_run_and_by_runs(self, services: Services) -> None:
        for number, name in enumerate(("b", "c", "a")):
            pipeline = services.pipelines.create(a_document(name=name))
            ran = {"run_count": number, "last_run": utc_now() - timedelta(days=number)}
            services.store.pipelines.update(pipeline.id, ran)
        orders = {sort: [one.name for one in services.pipelines.list(sort=sort).items] for sort in get_args(Sort)}
        assert orders == {
            "newest": ["a", "c", "b"],
            "name": ["a", "b", "c"],
            "last_run": ["b", "c", "a"],
            "runs": ["a", "c", "b"],
        }

    def test_sorted_lists_page_too(self, services: Services) -> None:
        for name in ("b", "c", "a"):
            services.pipelines.create(a_document(name=name))
        first = services.pipelines.list(sort="name", limit=2)
        rest = services.pipelines.list(sort="name", limit=2, cursor=first.next_cursor)
        assert [one.name for one in [*first.items, *rest.items]] == ["a", "b", "c"]
        assert rest.next_cursor is None
        with pytest.raises(InvalidInput, match="is not a cursor"):
            services.pipelines.list(sort="name", cursor="x")

    def test_tags_are_listed_once(self, services: Services) -> None:
        services.pipelines.create(a_document(name="a", tags=["y", "x"]))
        services.pipelines.create(a_document(name="b", tags=["x"]))
        assert services.pipelines.tags() == ["x", "y"]


def test_diff_says_what_changed_between_any_two_versions(services: Services) -> None:
    services.pipelines.create(a_document())
    steps = [*a_document()["steps"][:2], {"id": "other", "type": "transform", "config": {"ops": [{"op": "drop_null"}]}}]
    services.pipelines.update("small", a_document(schedule="@daily", steps=steps))
    diff = services.pipelines.diff("small", 1, 2)
    assert [change.path for change in diff.settings] == ["schedule"]
    assert [(change.step, change.kind) for change in diff.steps] == [("other", "added"), ("saved", "removed")]
    assert "+schedule: '@daily'" in diff.yaml
    back = services.pipelines.diff("small", 2, 1)
    assert [(change.step, change.kind) for change in back.steps] == [("saved", "added"), ("other", "removed")]
    with pytest.raises(NotFound):
        services.pipelines.diff("small", 1, 3)
