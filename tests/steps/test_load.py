"""What the load step promises to the engine."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from etlml.compute.relation import Query, Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.errors import ColumnMissing, ConfigInvalid
from etlml.steps.base import StepContext
from etlml.steps.load import LoadConfig
from tests.steps import contexts

COLUMNS = Schema.of([("id", "BIGINT"), ("v", "VARCHAR")])


def load(mode: str = "overwrite", keys: list[str] | None = None, **sink: Any) -> LoadConfig:
    return LoadConfig.model_validate(
        {"sink": {"kind": "file", "path": "out/o.parquet", **sink}, "mode": mode, "keys": keys or []}
    )


def a_context(
    session: Session, data_dir: Path, checkpoint: Callable[[Relation], Relation] | None = None
) -> StepContext:
    def kept(relation: Relation) -> Relation:
        return session.materialise(relation, session.folder / f"{relation.name}.parquet")

    return contexts.a_context("save", session, data_dir, checkpoint or kept)


def test_merge_needs_keys_and_nothing_else_has_them() -> None:
    with pytest.raises(ValidationError, match="mode merge needs keys"):
        load("merge")
    with pytest.raises(ValidationError, match="keys are for mode merge only"):
        load("append", ["id"])


def test_check_passes_the_columns_on_and_refuses_wrong_ones(home: Path) -> None:
    assert load().check({"in": COLUMNS}, home / "data") == COLUMNS
    assert load().check({"in": None}) is None
    with pytest.raises(ColumnMissing, match=r"no column 'idd'\. Did you mean 'id'"):
        load("merge", ["idd"]).check({"in": COLUMNS})
    with pytest.raises(ConfigInvalid, match="etlml keeps its own files there"):
        load(path=str(home / "runs/o.parquet")).check({"in": COLUMNS}, home / "data")


def test_only_what_can_be_written_while_it_is_computed_may_come_lazily() -> None:
    assert not load().scans_inputs
    assert load("append").scans_inputs
    assert load(path="o.xlsx").scans_inputs
    assert LoadConfig.model_validate({"sink": {"kind": "duckdb", "path": "o.duckdb", "table": "t"}}).scans_inputs


@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_the_rows_are_loaded_and_passed_on_with_their_numbers(home: Path, tmp_path: Path, mode: str) -> None:
    with Session(tmp_path / "run", memory_bytes=1 << 28) as session:
        relation = session.define("rows", Query("SELECT range AS id FROM range(5)"))
        result = load(mode).execute({"rows": relation}, a_context(session, home / "data"))
    target = home / "data/out/o.parquet"
    assert result.relation.name == "rows"
    assert result.metrics == {"rows_written": 5, "path": str(target)}
    assert result.bytes == target.stat().st_size


def test_a_load_that_is_tried_again_says_so_in_the_log(home: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    with Session(tmp_path / "run", memory_bytes=1 << 28) as session:
        relation = session.define("rows", Query("SELECT range AS id FROM range(5)"))
        context = replace(
            a_context(session, home / "data"), log=lambda level, message: lines.append(f"{level} {message}")
        )
        load("append").execute({"rows": relation}, context)
        assert lines == []
        again = load("append").execute({"rows": relation}, context)
    assert again.metrics["rows_written"] == 5
    assert lines[0].startswith("INFO An earlier attempt had finished this load")


def test_a_load_is_never_taken_from_the_cache(home: Path) -> None:
    assert load().fingerprint(home / "data") is None
