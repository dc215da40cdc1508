from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from etlml.documents import Model
from etlml.errors import Conflict, InvalidInput, NotFound
from etlml.store import Store
from etlml.store.models import next_version


def register(store: Store, name: str = "late-flight", **fields: Any) -> Model:
    return store.models.register(name, algorithm="Ridge", file_path="models/x.skops", **fields)


@pytest.mark.parametrize(
    ("version", "following"), [(None, "v1.0"), ("v1.0", "v1.1"), ("v1.9", "v1.10"), ("v2.3", "v2.4")]
)
def test_next_version(version: str | None, following: str) -> None:
    assert next_version(version) == following


class TestRegister:
    def test_counts_versions_upwards_for_each_name(self, store: Store) -> None:
        assert [register(store).version for _ in range(12)][-3:] == ["v1.9", "v1.10", "v1.11"]
        assert register(store, "other").version == "v1.0"

    def test_keeps_every_field(self, store: Store) -> None:
        model = register(
            store, metrics={"f1": 0.5, "x.y": None}, signature={"inputs": [{"name": "a"}]}, description="d"
        )
        assert store.models.find("late-flight", "v1.0") == model

    def test_can_name_the_file_by_the_version(self, store: Store) -> None:
        model = store.models.register("m", algorithm="Ridge", file_path=lambda version: f"m/{version}.skops")
        assert model.file_path == "m/v1.0.skops"

    def test_registers_an_experiment_once(self, store: Store) -> None:
        first = register(store, experiment_id="e1")
        assert register(store, experiment_id="e1") == first
        assert register(store, experiment_id="e2").version == "v1.1"
        assert register(store, "other", experiment_id="e1").version == "v1.0"

    def test_gives_no_two_callers_one_version(self, real_store: Store) -> None:
        with ThreadPoolExecutor(6) as pool:
            versions = list(pool.map(lambda _: register(real_store).version, range(18)))
        assert sorted(versions) == sorted(f"v1.{number}" for number in range(18))

    def test_add_refuses_a_version_that_is_there(self, store: Store) -> None:
        model = register(store)
        with pytest.raises(Conflict, match=r"'late-flight' has a version v1\.0 already"):
            store.models.add(model.model_copy(update={"id": "other"}))


class TestFind:
    def test_takes_a_version_an_alias_or_latest(self, store: Store) -> None:
        first, second = register(store), register(store)
        store.models.set_aliases("late-flight", "v1.0", ["production"])
        assert store.models.find("late-flight", "v1.1") == second
        assert store.models.find("late-flight", "production").id == first.id
        assert store.models.find("late-flight") == second

    def test_latest_passes_over_archived_versions(self, store: Store) -> None:
        first = register(store)
        register(store)
        store.models.set_status("late-flight", "v1.1", "archived")
        assert store.models.find("late-flight").id == first.id
        store.models.set_status("late-flight", "v1.0", "archived")
        assert store.models.find("late-flight").version == "v1.1"

    def test_says_the_nearest_name_or_version(self, store: Store) -> None:
        register(store)
        with pytest.raises(NotFound, match="Did you mean 'late-flight'"):
            store.models.find("lateflight")
        with pytest.raises(NotFound, match=r"no version or alias 'v1\.1'. Did you mean 'v1\.0'"):
            store.models.find("late-flight", "v1.1")
        with pytest.raises(NotFound, match="Did you mean 'late-flight'"):
            store.models.versions("lateflight")


class TestAliases:
    def test_move_from_version_to_version(self, store: Store) -> None:
        register(store), register(store)
        store.models.set_aliases("late-flight", "v1.0", ["production", "eu"])
        moved = store.models.set_aliases("late-flight", "v1.1", ["production"])
        assert moved.aliases == ["production"]
        assert store.models.find("late-flight", "v1.0").aliases == ["eu"]

    def test_are_apart_for_each_name(self, store: Store) -> None:
        register(store), register(store, "other")
        store.models.set_aliases("late-flight", "v1.0", ["production"])
        store.models.set_aliases("other", "v1.0", ["production"])
        assert store.models.find("late-flight", "v1.0").aliases == ["production"]

    def test_have_one_place_after_moves_at_once(self, real_store: Store) -> None:
        for _ in range(4):
            register(real_store)

        def move(version: str) -> None:
            with suppress(Conflict):
                real_store.models.set_aliases("late-flight", version, ["production"])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(move, ["v1.0", "v1.1", "v1.2", "v1.3"] * 3))
        holders = [model for model in real_store.models.versions("late-flight") if model.aliases]
        assert len(holders) == 1

    @pytest.mark.parametrize("alias", ["latest", "v1.0", "v2", ""])
    def test_cannot_look_like_versions(self, store: Store, alias: str) -> None:
        register(store)
        with pytest.raises(InvalidInput, match="cannot be an alias"):
            store.models.set_aliases("late-flight", "v1.0", [alias])


def test_lists_names_versions_and_counts(store: Store) -> None:
    register(store), register(store), register(store, "other", description="for tests")
    assert store.models.names() == ["late-flight", "other"]
    assert [model.version for model in store.models.versions("late-flight")] == ["v1.1", "v1.0"]
    assert [model.name for model in store.models.list(q="FOR T").items] == ["other"]
    assert store.models.counts_by_status() == {"registered": 3}


class TestRegistry:
    def test_has_each_name_once_with_its_newest_and_deployed_version(self, store: Store) -> None:
        for name in ("b", "a", "b"):
            store.models.register(name, algorithm="Ridge", file_path="x")
        store.models.set_status("b", "v1.0", "deployed")
        found = [(one.newest.name, one.newest.version, one.versions, one.deployed) for one in store.models.registry()]
        assert found == [("a", "v1.0", 1, None), ("b", "v1.1", 2, "v1.0")]

    def test_pages_by_name_and_is_searched_by_it(self, store: Store) -> None:
        for name in ("ant", "bee", "beetle", "cat"):
            store.models.register(name, algorithm="Ridge", file_path="x")
        assert [one.newest.name for one in store.models.registry(after="bee", limit=1)] == ["beetle"]
        assert [one.newest.name for one in store.models.registry(q="BEE")] == ["bee", "beetle"]
        assert [one.newest.name for one in store.models.registry(q="bee", after="bee")] == ["beetle"]
