"""The validate step: what a broken rule does to the step, to its rows and to its outcome."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from etlml.compute.relation import Query, Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.errors import ColumnMissing, ConfigInvalid, ValidationFailed
from etlml.invalid import config_invalid
from etlml.steps.base import StepContext
from etlml.steps.validate import ValidateConfig

SCHEMA = Schema.of([("n", "BIGINT"), ("t", "VARCHAR")])
NO_NULLS = {"rule": "not_null", "column": "n"}


class Log(list[tuple[str, str]]):
    def __call__(self, level: str, message: str) -> None:
        self.append((level, message))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(tmp_path / "run1", memory_bytes=2**28, width=1) as session:
        yield session


@pytest.fixture
def rows(session: Session) -> Relation:
    query = Query("SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (NULL, 'c'), (4, 'd')) AS v(n, t)")
    return session.materialise(session.define("input1", query), session.folder / "input1.parquet")


def a_context(session: Session, log: Log | None = None) -> StepContext:
    return StepContext(
        step_id="check",
        load_id="run1/check",
        folder=session.folder,
        data_dir=session.folder,
        session=session,
        children=cast(Any, None),
        tracker=cast(Any, None),
        log=log if log is not None else Log(),
        cancelled=lambda: False,
        memory_bytes=2**28,
        checkpoint=lambda relation: relation,
    )


def a_config(*rules: dict[str, Any], **fields: Any) -> ValidateConfig:
    return ValidateConfig.model_validate({"rules": rules, **fields})


def test_check_passes_the_columns_on_and_finds_what_is_wrong() -> None:
    assert a_config(NO_NULLS).check({"input1": SCHEMA}) == SCHEMA
    assert a_config(NO_NULLS).check({"input1": None}) is None
    with pytest.raises(ColumnMissing, match=r"rule 2 \(unique\(m\)\)"):
        a_config(NO_NULLS, {"rule": "unique", "column": "m"}).check({"input1": SCHEMA})


def test_rules_are_needed_and_complaints_name_their_place() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        a_config()
    with pytest.raises(ValueError) as caught:
        a_config(NO_NULLS, {"rule": "between", "column": "n", "minimum": 1})
    error = config_invalid(cast(Any, caught.value), ValidateConfig, where="Step 'check'")
    assert isinstance(error, ConfigInvalid)
    assert "'rules[1].minimum' is not known. Did you mean 'min'?" in error.message


def test_rules_that_hold_pass_the_input_on(session: Session, rows: Relation) -> None:
    result = a_config({"rule": "unique", "column": "n"}, profile=True).execute({"input1": rows}, a_context(session))
    assert result.relation is rows
    assert result.validation is not None
    assert (result.validation.status, result.validation.score, result.validation.step_id) == ("passed", 1.0, "check")
    assert [column["name"] for column in result.validation.profile["columns"]] == ["n", "t"]
    assert (result.warnings, result.metrics) == (0, {"score": 1.0, "status": "passed", "rules_broken": 0})


def test_fail_raises_with_the_outcome(session: Session, rows: Relation) -> None:
    log = Log()
    config = a_config(NO_NULLS, {"rule": "in_set", "column": "t", "values": ["a", "b", "c"], "severity": "info"})
    with pytest.raises(ValidationFailed, match=r"1 rule of 2 is broken: 1 of 4 values of 'n' is missing") as caught:
        config.execute({"input1": rows}, a_context(session, log))
    assert caught.value.outcome.rules[0].sample == [{"n": None, "t": "c"}]
    assert log == [
        ("WARNING", "1 of 4 values of 't' is not in the set 'a', 'b', 'c': 'd'.")
    ]  # the error tells the rest


@pytest.mark.parametrize("on_failure", ["fail", "quarantine", "warn"])
def test_a_broken_warning_only_warns(session: Session, rows: Relation, on_failure: str) -> None:
    result = a_config({**NO_NULLS, "severity": "warning"}, on_failure=on_failure).execute(
        {"input1": rows}, a_context(session)
    )
    assert result.relation is rows
    assert result.warnings == 1
    assert result.validation is not None
    assert (result.validation.status, result.validation.quarantine) == ("warning", None)


def test_warn_lets_broken_errors_pass_and_counts_them(session: Session, rows: Relation) -> None:
    log = Log()
    result = a_config(NO_NULLS, on_failure="warn", name="quality").execute({"input1": rows}, a_context(session, log))
    assert result.relation is rows
    assert result.warnings == 1
    assert result.validation is not None
    assert (result.validation.status, result.validation.name) == ("failed", "quality")
    assert log[0][0] == "WARNING"


def test_quarantine_sets_rows_aside_and_passes_the_rest_on(session: Session, rows: Relation) -> None:
    config = a_config(
        NO_NULLS, {"rule": "between", "column": "n", "max": 3, "severity": "warning"}, on_failure="quarantine"
    )
    result = config.execute({"input1": rows}, a_context(session))
    assert (result.relation.name, result.relation.rows) == ("check", 3)
    assert session.rows('SELECT n FROM "check"') == [(1,), (2,), (4,)]
    assert result.validation is not None
    assert result.validation.quarantine == {"path": "run1/check.quarantine.parquet", "rows": 1}
    assert result.metrics["rows_quarantined"] == 1
    aside = session.rows(f"SELECT t, _failed_rules FROM '{session.folder / 'check.quarantine.parquet'}'")
    assert aside == [("c", ["not_null(n)"])]


def test_quarantine_leaves_rows_that_mostly_tolerates(session: Session, rows: Relation) -> None:
    result = a_config({**NO_NULLS, "mostly": 0.7}, on_failure="quarantine").execute(
        {"input1": rows}, a_context(session)
    )
    assert result.relation is rows


def test_quarantine_fails_when_a_table_rule_is_broken(session: Session, rows: Relation) -> None:
    config = a_config(NO_NULLS, {"rule": "row_count_between", "min": 100}, on_failure="quarantine")
    with pytest.raises(ValidationFailed, match="not at least 100"):
        config.execute({"input1": rows}, a_context(session))
    assert not (session.folder / "check.quarantine.parquet").exists()


def test_quarantine_done_again_gives_the_same(session: Session, rows: Relation) -> None:
    config = a_config(NO_NULLS, on_failure="quarantine")
    first, second = (config.execute({"input1": rows}, a_context(session)) for _ in range(2))
    assert first.relation == second.relation
    assert sorted(path.name for path in session.folder.iterdir() if path.is_file()) == [
        "check.quarantine.parquet",
        "input1.parquet",
    ]


def test_rules_that_are_off_are_passed_over_and_no_row_is_set_aside_for_them(session: Session, rows: Relation) -> None:
    config = a_config({**NO_NULLS, "enabled": False}, {"rule": "unique", "column": "t"}, on_failure="quarantine")
    result = config.execute({"input1": rows}, a_context(session))
    assert result.validation is not None
    assert ([one.rule for one in result.validation.rules], result.validation.quarantine) == (["unique"], None)
    assert result.relation.rows == 4
