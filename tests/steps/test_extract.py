"""What the extract step promises to the engine."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from etlml.compute.session import Session
from etlml.errors import DataUnreadable
from etlml.steps.base import StepContext
from etlml.steps.extract import ExtractConfig
from tests.steps import contexts


def a_context(session: Session, data_dir: Path) -> StepContext:
    return contexts.a_context("rows-1", session, data_dir, lambda relation: relation)


def a_session(folder: Path, home: Path, config: ExtractConfig) -> Session:
    files = config.files(home / "data")
    return Session(folder / "run", memory_bytes=1 << 28, readable=files.reads, folders=files.folders)


def extract(**source: Any) -> ExtractConfig:
    return ExtractConfig.model_validate({"source": source})


def test_a_step_reads_what_its_files_name_under_its_own_id(home: Path, tmp_path: Path) -> None:
    (home / "data/a.csv").write_text("id,v\n1,x\n")
    config = extract(kind="file", path="*.csv")
    with a_session(tmp_path, home, config) as session:
        result = config.execute({}, a_context(session, home / "data"))
        assert result.relation.name == "rows-1"
        assert session.rows('SELECT * FROM "rows-1"') == [(1, "x")]
        assert result.relation.schema == config.check({}, home / "data")


def test_a_file_that_arrives_after_the_start_of_the_run_is_within_reach(home: Path, tmp_path: Path) -> None:
    config = extract(kind="file", path="*.csv")
    with a_session(tmp_path, home, config) as session:
        (home / "data/late.csv").write_text("id\n1\n")
        config.execute({}, a_context(session, home / "data"))
        assert session.rows('SELECT * FROM "rows-1"') == [(1,)]


def test_several_files_are_counted_in_the_metrics(home: Path, tmp_path: Path) -> None:
    for name in "ab":
        (home / f"data/{name}.csv").write_text("id\n1\n")
    config = extract(kind="file", path="*.csv")
    with a_session(tmp_path, home, config) as session:
        assert config.execute({}, a_context(session, home / "data")).metrics == {"files": 2}


def test_check_needs_no_file_and_a_run_does(home: Path, tmp_path: Path) -> None:
    config = extract(kind="file", path="later.csv")
    assert config.check({}) is None
    assert config.check({}, home / "data") is None
    with (
        Session(tmp_path / "run", memory_bytes=1 << 28) as session,
        pytest.raises(DataUnreadable, match="There is no file"),
    ):
        config.execute({}, a_context(session, home / "data"))


def test_the_fingerprint_follows_the_files(home: Path) -> None:
    config = extract(kind="file", path="a.csv")
    assert config.fingerprint(home / "data") is None
    (home / "data/a.csv").write_text("id\n1\n")
    first = config.fingerprint(home / "data")
    (home / "data/a.csv").write_text("id\n1\n2\n")
    assert first
    assert first != config.fingerprint(home / "data")
    assert extract(kind="inline", rows=[{"a": 1}]).fingerprint(home / "data") == ""


def test_an_unknown_kind_or_field_is_refused() -> None:
    for source in ({"kind": "fax"}, {"kind": "file", "path": "a.csv", "colour": "red"}):
        with pytest.raises(ValidationError):
            extract(**source)


def test_an_extract_takes_no_inputs() -> None:
    assert ExtractConfig.takes_inputs == (0, 0)
