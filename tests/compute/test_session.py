"""The DuckDB session of a run."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from etlml.compute.relation import Query
from etlml.compute.session import Session
from etlml.errors import StepCancelled


def test_a_session_that_is_closed_can_still_be_told_to_stop(tmp_path: Path) -> None:
    session = Session(tmp_path, memory_bytes=2**28)
    session.close()
    session.interrupt()
    with pytest.raises(StepCancelled):
        session.rows("SELECT 1")


def test_a_file_that_is_written_again_within_a_session_is_read_as_it_is_now(tmp_path: Path) -> None:
    with Session(tmp_path, memory_bytes=1 << 28, width=1) as session:
        for rows in (1000, 10, 5000):
            relation = session.define("numbers", Query(f"SELECT range AS n FROM range({rows})"))
            kept = session.materialise(relation, tmp_path / "numbers.parquet")
            assert session.rows("SELECT count(*), max(n) FROM numbers WHERE n >= 0") == [(kept.rows, rows - 1)]


def test_whole_numbers_of_any_size_keep_their_digits_in_a_checkpoint(tmp_path: Path) -> None:
    with Session(tmp_path, memory_bytes=1 << 28, width=1) as session:
        relation = session.define("wide", Query("SELECT 9007199254740993::HUGEINT AS n"))
        session.materialise(relation, tmp_path / "wide.parquet")
        assert session.rows("SELECT n FROM wide") == [(9007199254740993,)]


def test_one_relation_can_go_to_several_files_at_once(tmp_path: Path) -> None:
    with Session(tmp_path, memory_bytes=1 << 28, width=4) as session, ThreadPoolExecutor(4) as pool:
        relation = session.define("numbers", Query("SELECT range AS n FROM range(200000)"))
        paths = [tmp_path / f"{number}.parquet" for number in range(12)]
        assert list(pool.map(lambda path: session.copy(relation, path), paths)) == [200_000] * 12
        assert session.shares() == {}
