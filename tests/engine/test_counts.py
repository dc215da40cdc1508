"""Rows of fused steps, read off the plan: each case is compared with a count of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etlml.compute.relation import Query, RowEffect
from etlml.compute.session import Session
from etlml.engine.fusion import Fusion

ROWS = 5000


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_text("n,k\n" + "".join(f"{n},{n % 7}\n" for n in range(ROWS)))
    return path


@pytest.fixture
def fusion(tmp_path: Path, csv: Path) -> Iterator[Fusion]:
    with Session(tmp_path / "run", memory_bytes=2**28, readable=[csv]) as session:
        yield Fusion(session, tmp_path / "run")


def add(
    fusion: Fusion, name: str, sql: str, *effects: RowEffect, inputs: tuple[str, ...], files: tuple[Path, ...] = ()
) -> None:
    fusion.add(fusion.session.define(name, Query(sql, effects, files)), inputs)


def add_source(fusion: Fusion, csv: Path, name: str = "source") -> None:
    add(fusion, name, f"SELECT * FROM read_csv('{csv}')", "source", inputs=(), files=(csv,))


def counted(fusion: Fusion, names: list[str]) -> dict[str, int]:
    return {name: fusion.count(name) for name in names}


def test_a_filter_below_a_derivation_is_counted(fusion: Fusion, csv: Path) -> None:
    add_source(fusion, csv)
    add(fusion, "kept", "SELECT * FROM source WHERE n < 1000", "filter", inputs=("source",))
    add(fusion, "derived", "SELECT *, n + 1 AS m FROM kept", "same", inputs=("kept",))
    assert fusion.compute("derived").rows == {"source": ROWS, "kept": 1000, "derived": 1000}


def test_a_filter_below_a_join_is_counted_on_whichever_side_the_planner_puts_it(fusion: Fusion, csv: Path) -> None:
    add_source(fusion, csv)
    add(fusion, "kept", "SELECT * FROM source WHERE n < 40", "filter", inputs=("source",))
    fusion.add(
        fusion.session.define("big", Query("SELECT range AS n, range % 3 AS z FROM range(100000)", ("other",))), ()
    )
    fusion.compute("big")
    add(fusion, "joined", "SELECT * FROM kept JOIN big USING (n) WHERE TRUE", "join", inputs=("kept", "big"))
    assert fusion.compute("joined").rows == {"source": ROWS, "kept": 40, "joined": 40}


def test_two_filters_that_the_planner_merges_are_both_counted(fusion: Fusion, csv: Path) -> None:
    add_source(fusion, csv)
    add(fusion, "first", "SELECT * FROM source WHERE n < 1000", "filter", inputs=("source",))
    add(fusion, "second", "SELECT * FROM first WHERE k = 3", "filter", inputs=("first",))
    rows = fusion.compute("second").rows
    assert rows == {"source": ROWS, "first": 1000, "second": fusion.count("second")}


def test_a_filter_pushed_into_a_parquet_scan_is_counted(fusion: Fusion, csv: Path) -> None:
    add_source(fusion, csv)
    fusion.compute("source")
    add(fusion, "kept", "SELECT * FROM source WHERE n >= 4990", "filter", inputs=("source",))
    add(fusion, "derived", "SELECT n FROM kept", "same", inputs=("kept",))
    assert fusion.compute("derived").rows == {"kept": 10, "derived": 10}


def test_an_aggregate_below_a_limit_is_counted(fusion: Fusion, csv: Path) -> None:
    add_source(fusion, csv)
    add(fusion, "groups", "SELECT k, count(*) AS c FROM source GROUP BY k", "group", inputs=("source",))
    add(fusion, "first", "SELECT * FROM groups LIMIT 2", "limit", inputs=("groups",))
    rows = fusion.compute("first").rows
    assert (rows["source"], rows["groups"], rows["first"]) == (ROWS, 7, 2)


def test_the_sides_of_a_union_of_the_same_file_are_counted(fusion: Fusion, csv: Path) -> None:
    add_source(fusion, csv)
    add_source(fusion, csv, "again")
    add(fusion, "both", "SELECT * FROM source UNION ALL SELECT * FROM again", "union", inputs=("source", "again"))
    assert fusion.compute("both").rows == {"source": ROWS, "again": ROWS, "both": 2 * ROWS}


def test_a_join_that_the_planner_leaves_out_does_not_fool_the_count(fusion: Fusion, csv: Path) -> None:
    add_source(fusion, csv)
    add(fusion, "kept", "SELECT * FROM source WHERE n < 10", "filter", inputs=("source",))
    add(fusion, "crossed", "SELECT a.* FROM kept a, range(3) b", "join", inputs=("kept",))
    add(fusion, "derived", "SELECT n FROM crossed", "same", inputs=("crossed",))
    expected = counted(fusion, ["source", "kept", "crossed", "derived"])
    assert fusion.compute("derived").rows == expected
