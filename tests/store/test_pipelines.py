from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from etlml.documents import Pipeline, PipelineDraft, Run, Step, Trigger
from etlml.errors import InvalidInput, NameTaken, NotFound, VersionConflict
from etlml.store import Store

MakePipeline = Callable[..., Pipeline]
MakeRun = Callable[..., Run]


class TestPipelineStore:
    """What a PipelineStore must do, on every server."""

    def test_get_returns_an_equal_pipeline(self, store: Store, a_pipeline: MakePipeline) -> None:
        added = store.pipelines.add(a_pipeline(params={"a.b": 1, "$c": [1, None]}), "ann")
        assert store.pipelines.get(added.id) == added

    def test_add_writes_version_1(self, store: Store, a_pipeline: MakePipeline) -> None:
        added = store.pipelines.add(a_pipeline(), "ann")
        (version,) = store.pipelines.versions(added.id)
        assert (version.version, version.author, version.document) == (1, "ann", added.draft())

    def test_add_refuses_a_name_that_is_taken_and_keeps_nothing(self, store: Store, a_pipeline: MakePipeline) -> None:
        store.pipelines.add(a_pipeline())
        with pytest.raises(NameTaken, match="already a pipeline 'flights'"):
            store.pipelines.add(a_pipeline(id="second"))
        assert store.pipelines.versions("second") == []

    def test_find_takes_a_name_or_an_id(self, store: Store, a_pipeline: MakePipeline) -> None:
        added = store.pipelines.add(a_pipeline())
        assert store.pipelines.find("flights") == store.pipelines.find(added.id) == added

    def test_find_prefers_the_name_where_it_is_anothers_id(self, store: Store, a_pipeline: MakePipeline) -> None:
        store.pipelines.add(a_pipeline(id="x", name="y"))
        named = store.pipelines.add(a_pipeline(id="z", name="x"))
        assert store.pipelines.find("x") == named

    def test_find_says_the_nearest_name(self, store: Store, a_pipeline: MakePipeline) -> None:
        store.pipelines.add(a_pipeline())
        with pytest.raises(NotFound, match=r"no pipeline 'fligths'\. Did you mean 'flights'\?"):
            store.pipelines.find("fligths")

    def test_list_refuses_a_text_that_no_field_can_hold(self, store: Store) -> None:
        with pytest.raises(InvalidInput, match="holds a character that no text has"):
            store.pipelines.list(q="a\0")

    def test_save_makes_the_next_version(self, store: Store, a_pipeline: MakePipeline) -> None:
        added = store.pipelines.add(a_pipeline())
        draft = PipelineDraft(name="flights 2", steps=[Step(id="other", type="extract")], schedule="@daily")
        saved = store.pipelines.save(added.id, draft, expected_version=1, author="bob")
        assert (saved.version, saved.draft(), saved.created_at) == (2, draft, added.created_at)
        assert store.pipelines.get(added.id) == saved
        assert [each.version for each in store.pipelines.versions(added.id)] == [2, 1]
        assert store.pipelines.version(added.id, 1).document == added.draft()

    def test_save_refuses_a_stale_version(self, store: Store, a_pipeline: MakePipeline) -> None:
        added = store.pipelines.add(a_pipeline())
        store.pipelines.save(added.id, added.draft(), expected_version=1)
        with pytest.raises(VersionConflict, match="at version 2 by now, not 1"):
            store.pipelines.save(added.id, added.draft(), expected_version=1)

    def test_save_refuses_anothers_name(self, store: Store, a_pipeline: MakePipeline) -> None:
        store.pipelines.add(a_pipeline(name="taken"))
        added = store.pipelines.add(a_pipeline())
        with pytest.raises(NameTaken):
            store.pipelines.save(added.id, added.draft().model_copy(update={"name": "taken"}))
        assert store.pipelines.get(added.id).version == 1

    def test_save_of_an_unknown_pipeline_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            store.pipelines.save("nope", PipelineDraft(name="x"), expected_version=1)

    def test_delete_takes_the_versions_along(self, store: Store, a_pipeline: MakePipeline) -> None:
        added = store.pipelines.add(a_pipeline())
        store.pipelines.delete(added.id)
        assert store.pipelines.versions(added.id) == []
        with pytest.raises(NotFound):
            store.pipelines.delete(added.id)

    def test_lists_the_newest_first_by_cursor(self, store: Store, a_pipeline: MakePipeline, now: datetime) -> None:
        for number in range(5):  # two of the same millisecond at the page's edge
            at = now + timedelta(seconds=number // 2)
            store.pipelines.add(a_pipeline(id=f"p{number}", name=f"n{number}", created_at=at))
        first = store.pipelines.list(limit=2)
        second = store.pipelines.list(limit=2, cursor=first.next_cursor)
        third = store.pipelines.list(limit=2, cursor=second.next_cursor)
        assert [[each.id for each in page.items] for page in (first, second, third)] == [
            ["p4", "p3"],
            ["p2", "p1"],
            ["p0"],
        ]
        assert third.next_cursor is None

    def test_lists_by_text_tag_and_status(self, store: Store, a_pipeline: MakePipeline) -> None:
        store.pipelines.add(a_pipeline(name="sales.EU", tags=["daily"]))
        store.pipelines.add(a_pipeline(name="other", description="All SALES.eu"))
        store.pipelines.add(a_pipeline(name="sales EU"))
        assert {each.name for each in store.pipelines.list(q="sales.eu").items} == {"sales.EU", "other"}
        assert [each.name for each in store.pipelines.list(tag="daily").items] == ["sales.EU"]
        assert len(store.pipelines.list(status="idle").items) == 3
        assert store.pipelines.list(status="running").items == []

    def test_finds_by_schedule_and_trigger(self, store: Store, a_pipeline: MakePipeline) -> None:
        hooked = store.pipelines.add(a_pipeline(triggers=[Trigger(kind="webhook", token_hash="abc")]))
        timed = store.pipelines.add(a_pipeline(name="timed", schedule="@hourly"))
        assert store.pipelines.find_by_webhook("abc") == hooked
        assert store.pipelines.scheduled() == [timed]
        assert store.pipelines.triggered_by("webhook") == [hooked]
        with pytest.raises(NotFound):
            store.pipelines.find_by_webhook("wrong")


class TestMarkRun:
    def test_follows_a_run_from_start_to_end(
        self, store: Store, a_pipeline: MakePipeline, a_run: MakeRun, now: datetime
    ) -> None:
        pipeline = store.pipelines.add(a_pipeline())
        store.runs.add(a_run(pipeline_id=pipeline.id))
        claimed = store.runs.claim("w", now, 30)
        assert claimed is not None
        store.pipelines.mark_run(pipeline.id, claimed)
        shown = store.pipelines.get(pipeline.id)
        assert (shown.status, shown.last_run, shown.last_run_id, shown.run_count) == ("running", now, claimed.id, 1)
        store.pipelines.mark_run(pipeline.id, store.runs.finish(claimed.id, 1, "w", "failed", now))
        shown = store.pipelines.get(pipeline.id)
        assert (shown.status, shown.run_count) == ("failed", 1)

    def test_a_resumed_run_counts_once(
        self, store: Store, a_pipeline: MakePipeline, a_run: MakeRun, now: datetime
    ) -> None:
        pipeline = store.pipelines.add(a_pipeline())
        run = store.runs.add(a_run(pipeline_id=pipeline.id))
        for attempt in (1, 2):
            claimed = store.runs.claim("w", now, 30)
            assert claimed is not None
            store.pipelines.mark_run(pipeline.id, claimed)
            store.runs.release(run.id, attempt, "w")
        assert store.pipelines.get(pipeline.id).run_count == 1


class TestTransactions:
    """On the real server only: mongomock has none."""

    def test_one_of_many_saves_of_a_version_wins(self, real_store: Store, a_pipeline: MakePipeline) -> None:
        added = real_store.pipelines.add(a_pipeline())

        def save(author: str) -> bool:
            try:
                real_store.pipelines.save(added.id, added.draft(), expected_version=1, author=author)
            except VersionConflict:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(save, "abcdef")) == 1
        assert [each.version for each in real_store.pipelines.versions(added.id)] == [2, 1]

    def test_saves_without_an_expectation_all_get_a_version(self, real_store: Store, a_pipeline: MakePipeline) -> None:
        added = real_store.pipelines.add(a_pipeline())
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: real_store.pipelines.save(added.id, added.draft()), range(6)))
        assert [each.version for each in real_store.pipelines.versions(added.id)] == [7, 6, 5, 4, 3, 2, 1]

    def test_all_writes_happen_or_none(self, real_store: Store, a_pipeline: MakePipeline, a_run: MakeRun) -> None:
        def work() -> None:
            real_store.runs.add(a_run(id="r1"))
            real_store.settings.set("a", 1)
            raise NotFound("thing", "x")

        with pytest.raises(NotFound):
            real_store.in_transaction(work)
        assert real_store.runs.count() == 0
        assert real_store.settings.all() == {}
