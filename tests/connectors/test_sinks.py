"""What every kind of sink promises: the right rows, all or nothing, once, one load at a time."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlml.connectors import locks
from etlml.connectors.base import Mode
from etlml.errors import ConfigInvalid, LoadFailed, StepCancelled
from tests.connectors.kinds import SINKS, every_kind, source_of
from tests.connectors.world import World

pytestmark = pytest.mark.slow


def rows(start: int, stop: int, text: str = "v") -> str:
    return f"SELECT range AS id, '{text}' || range AS v, range % 3 AS part FROM range({start}, {stop})"


def held(world: World, kind: str) -> list[tuple[Any, ...]]:
    return world.read(
        source_of(SINKS[kind]), "SELECT CAST(id AS BIGINT), v, CAST(part AS BIGINT) FROM src ORDER BY id, v"
    )


def expected(*parts: tuple[int, int, str]) -> list[tuple[Any, ...]]:
    return sorted(
        (number, f"{text}{number}", number % 3) for start, stop, text in parts for number in range(start, stop)
    )


@every_kind
def test_overwrite_append_and_merge_leave_the_right_rows(world: World, kind: str) -> None:
    sink = SINKS[kind]
    assert world.load(sink, rows(0, 3)).rows == 3
    assert world.load(sink, rows(10, 14)).rows == 4
    assert held(world, kind) == expected((10, 14, "v"))
    assert world.load(sink, rows(0, 2), "append").rows == 2
    assert held(world, kind) == expected((0, 2, "v"), (10, 14, "v"))
    assert world.load(sink, rows(12, 16, "new"), "merge", ["id"]).rows == 4
    assert held(world, kind) == expected((0, 2, "v"), (10, 12, "v"), (12, 16, "new"))
    assert world.leftovers() == []


@every_kind
@pytest.mark.parametrize(("mode", "keys"), [("append", []), ("overwrite", []), ("merge", ["id"])])
def test_a_load_takes_effect_once_however_often_it_is_tried(
    world: World, kind: str, mode: Mode, keys: list[str]
) -> None:
    world.load(SINKS[kind], rows(0, 3), load_id="first")
    world.load(SINKS[kind], rows(3, 5), mode, keys, load_id="tried twice")
    after = held(world, kind)
    again = world.load(SINKS[kind], rows(3, 5), mode, keys, load_id="tried twice")
    assert again.already_there
    assert again.rows == 2
    assert held(world, kind) == after
    world.load(SINKS[kind], rows(20, 21), load_id="later")
    world.load(SINKS[kind], rows(3, 5), mode, keys, load_id="tried twice")
    assert held(world, kind) == expected((20, 21, "v"))


@every_kind
def test_append_and_merge_make_what_is_not_there(world: World, kind: str) -> None:
    world.load(SINKS[kind], rows(0, 2), "append")
    assert held(world, kind) == expected((0, 2, "v"))
    world.load({**SINKS[kind], "path": "other/" + SINKS[kind]["path"]}, rows(0, 2), "merge", ["id"])


@every_kind
def test_columns_are_matched_by_name_in_any_order(world: World, kind: str) -> None:
    world.load(SINKS[kind], rows(0, 2))
    world.load(SINKS[kind], "SELECT 2 AS part, 'v2' AS V, 2 AS ID", "append")
    world.load(SINKS[kind], "SELECT 'v3' AS v, 0 AS part, 3 AS id", "merge", ["id"])
    assert held(world, kind) == expected((0, 4, "v"))


@every_kind
@pytest.mark.parametrize(
    ("bad", "mode", "message"),
    [
        (
            "SELECT 1 AS id, 0 AS part",
            "append",
            "it has the column 'v', which the rows lack. Add the column 'v' to the rows",
        ),
        (
            "SELECT 1 AS id, 'x' AS v, 0 AS part, 1 AS w",
            "append",
            "it lacks the column 'w', which the rows have. Drop the column 'w'",
        ),
        ("SELECT 1 AS id, 0 AS part, 1 AS w", "merge", "it lacks the column 'w'.* and it has the column 'v'"),
        ("SELECT NULL::INT AS id, 'x' AS v, 0 AS part", "merge", "1 of the rows have no value in the merge keys"),
        ("SELECT 1 AS id, 'x' AS v, 0 AS part FROM range(2)", "merge", r"have the same merge keys \(id\): 1\."),
    ],
)
def test_rows_that_do_not_fit_change_nothing(world: World, kind: str, bad: str, mode: Mode, message: str) -> None:
    world.load(SINKS[kind], rows(0, 3))
    with pytest.raises(LoadFailed, match=message):
        world.load(SINKS[kind], bad, mode, ["id"] if mode == "merge" else [])
    assert held(world, kind) == expected((0, 3, "v"))
    assert world.leftovers() == []


@pytest.mark.parametrize("kind", ["parquet", "excel", "parquet folder", "sqlite", "duckdb"])
@pytest.mark.parametrize("value", ["'text'", "1.5", "'007'"])
def test_values_that_a_typed_column_would_bend_are_refused(world: World, kind: str, value: str) -> None:
    world.load(SINKS[kind], rows(0, 3))
    with pytest.raises(
        LoadFailed, match=r"column 'id' holds (BIGINT|INTEGER), and 1 of the incoming .* values would lose something"
    ):
        world.load(SINKS[kind], f"SELECT {value} AS id, 'x' AS v, 0 AS part", "append")
    assert held(world, kind) == expected((0, 3, "v"))


@pytest.mark.parametrize("kind", ["parquet", "excel", "parquet folder", "sqlite", "duckdb"])
def test_values_that_fit_a_typed_column_are_taken_whatever_their_type(world: World, kind: str) -> None:
    world.load(SINKS[kind], rows(0, 2))
    world.load(SINKS[kind], "SELECT 2.0::DOUBLE AS id, 'v2' AS v, 2::HUGEINT AS part", "append")
    assert held(world, kind) == expected((0, 3, "v"))


@every_kind
def test_no_rows_are_no_trouble(world: World, kind: str) -> None:
    world.load(SINKS[kind], rows(0, 2))
    world.load(SINKS[kind], rows(0, 0), "append")
    world.load(SINKS[kind], rows(0, 0), "merge", ["id"])
    assert held(world, kind) == expected((0, 2, "v"))
    world.load(SINKS[kind], rows(0, 0))
    world.load(SINKS[kind], rows(5, 6), "append")
    assert held(world, kind) == expected((5, 6, "v"))


class CancelledAfter:
    """False until some time after the first question, then True."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._first: float | None = None

    def __call__(self) -> bool:
        self._first = self._first or time.monotonic()
        return self.late_s >= 0

    @property
    def late_s(self) -> float:
        return time.monotonic() - (self._first or time.monotonic()) - self._seconds


@every_kind
def test_a_cancelled_load_ends_within_two_seconds_and_leaves_nothing(world: World, kind: str) -> None:
    world.load(SINKS[kind], rows(0, 2))
    many = f"SELECT range AS id, repeat('x', 20) AS v, range % 3 AS part FROM range({200_000 if kind == 'excel' else 2_000_000})"
    cancelled = CancelledAfter(0.15)
    with pytest.raises(StepCancelled):
        world.load(SINKS[kind], many, "merge", ["id"], cancelled=cancelled)
    assert cancelled.late_s < 2
    assert held(world, kind) == expected((0, 2, "v"))
    assert world.leftovers() == []


@every_kind
def test_loads_side_by_side_are_taken_in_one_after_the_other(world: World, kind: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: world.load(SINKS[kind], rows(number * 10, number * 10 + 10), "append"), range(6)))
    assert held(world, kind) == expected((0, 60, "v"))


def test_a_load_that_waits_too_long_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    target = world.file("o.csv", "a\n1\n")
    with (
        locks.alone(target, lambda: False),
        pytest.raises(LoadFailed, match=r"Another load into .* for more than 0\.2 s"),
        locks.alone(target, lambda: False, wait_s=0.2),
    ):
        pass


def test_a_load_that_waits_can_be_cancelled(world: World) -> None:
    target = world.file("o.csv", "a\n1\n")
    with locks.alone(target, lambda: False), pytest.raises(StepCancelled), locks.alone(target, lambda: True):
        pass


@pytest.mark.parametrize("folder", ["mongod", "runs/x", "models"])
@pytest.mark.parametrize("kind", ["csv", "sqlite", "duckdb"])
def test_the_platforms_own_folders_are_out_of_reach(world: World, kind: str, folder: str) -> None:
    for path in (f"../{folder}/o.csv", str(world.runs.parent / folder / "o.csv")):
        with pytest.raises(ConfigInvalid, match="etlml keeps its own files there"):
            world.load({**SINKS[kind], "path": path}, rows(0, 1))


Loads = list[tuple[Mode, list[int]]]
LOADS = st.lists(
    st.tuples(st.sampled_from(["append", "merge", "overwrite"]), st.lists(st.integers(0, 12), max_size=6, unique=True)),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "parquet folder", "sqlite", "duckdb"])
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(loads=LOADS, twice=st.booleans())
def test_any_sequence_of_loads_agrees_with_pandas(world: World, kind: str, loads: Loads, twice: bool) -> None:
    world.load(SINKS[kind], rows(0, 1), load_id=f"start {time.monotonic_ns()}")
    model = pd.DataFrame({"id": [0], "v": ["v0"]})
    for number, (mode, ids) in enumerate(loads):
        values = ", ".join(f"({each}, 'n{number}-{each}', {each % 3})" for each in ids) or "(0, '', 0)"
        sql = f"SELECT * FROM (VALUES {values}) AS t(id, v, part){'' if ids else ' WHERE false'}"
        fresh = pd.DataFrame({"id": ids, "v": [f"n{number}-{each}" for each in ids]})
        load_id = f"{number} {time.monotonic_ns()}"
        for _ in range(2 if twice else 1):
            world.load(SINKS[kind], sql, mode, ["id"] if mode == "merge" else [], load_id=load_id)
        kept = model if mode == "append" else model[~model["id"].isin(ids)] if mode == "merge" else model.iloc[:0]
        model = pd.concat([kept, fresh], ignore_index=True) if len(kept) else fresh
    if len(model) or kind not in ("jsonl", "parquet folder"):  # with no rows these two keep no columns
        found = [(row[0], row[1]) for row in held(world, kind)]
        assert found == sorted(zip(model["id"].tolist(), model["v"].tolist(), strict=True))
