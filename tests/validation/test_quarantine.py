"""Rows that break a rule are set aside: each row lands on exactly one side."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlml.compute.relation import Relation
from etlml.compute.session import Session
from etlml.validation.quarantine import set_aside
from etlml.validation.rule import RowRule
from etlml.validation.step_rules import check_validations

ARelation = Callable[..., Relation]


def row_rules(relation: Relation, *rules: dict[str, Any]) -> list[RowRule]:
    return [rule for rule in check_validations(rules, relation.schema) if isinstance(rule, RowRule)]


def rows_of(session: Session, relation: Relation) -> list[tuple[Any, ...]]:
    return session.rows(f'SELECT * FROM "{relation.name}"')


def test_failing_rows_go_with_their_number_and_the_rules_that_they_break(
    a_relation: ARelation, session: Session
) -> None:
    relation = a_relation({"id": [1, 2, 2, 4], "name": ["a", None, "c", "toolong"]})
    rules = row_rules(
        relation,
        {"rule": "not_null", "column": "name"},
        {"rule": "unique", "column": "id"},
        {"rule": "matches", "column": "name", "regex": "."},
        {"rule": "matches", "column": "name", "regex": ".{1,3}"},
    )
    quarantine = set_aside(rules, relation, session, name="check")
    assert (quarantine.path.name, quarantine.rows) == ("check.quarantine.parquet", 3)
    assert session.rows(f"SELECT * FROM '{quarantine.path}'") == [
        (2, None, 2, ["not_null(name)", "unique(id)"]),
        (2, "c", 3, ["unique(id)"]),
        (4, "toolong", 4, ["matches(name)", "matches(name) 2"]),
    ]
    assert quarantine.rest.rows == 1
    assert quarantine.rest.name == "check"
    assert rows_of(session, quarantine.rest) == [(1, "a")]
    assert quarantine.rest.schema == relation.schema


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.none() | st.integers(0, 5), max_size=20),
    low=st.integers(0, 5),
    where=st.sampled_from([None, "n > 2"]),
)
def test_rest_and_quarantine_are_the_whole(
    values: list[int | None], low: int, where: str | None, a_relation: ARelation, session: Session
) -> None:
    relation = a_relation(
        {"row": list(range(len(values))), "n": values}, types=None if values else {"n": _int64(), "row": _int64()}
    )
    if any(value is not None for value in values):
        rules = row_rules(
            relation,
            {"rule": "between", "column": "n", "min": low, "where": where},
            {"rule": "unique", "column": "n", "where": where},
        )
    else:
        rules = row_rules(relation, {"rule": "not_null", "column": "n", "where": where if not values else None})
    quarantine = set_aside(rules, relation, session, name=f"{relation.name}.check")
    aside = session.rows(f"SELECT \"row\" FROM '{quarantine.path}'")
    rest = session.rows(f'SELECT "row" FROM "{quarantine.rest.name}"')
    assert sorted(aside + rest) == [(row,) for row in range(len(values))]
    assert (len(aside), len(rest)) == (quarantine.rows, quarantine.rest.rows)


def test_a_rule_that_changes_with_time_loses_and_doubles_no_row(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"n": list(range(2000))})
    rules = row_rules(relation, {"rule": "sql", "where": "n % 2 = epoch_us(now()) % 2"})
    quarantine = set_aside(rules, relation, session, name="clock")
    rest = session.rows('SELECT n FROM "clock"')
    aside = session.rows(f"SELECT n FROM '{quarantine.path}'")
    assert sorted(rest + aside) == [(row,) for row in range(2000)]


def test_rows_that_were_in_quarantine_before_can_go_there_again(a_relation: ARelation, session: Session) -> None:
    relation = a_relation(
        {"n": [None, 1], "_failed_rules": [["old"], []], "_row_number": [7, 8]}, types={"n": _int64()}
    )
    quarantine = set_aside(row_rules(relation, {"rule": "not_null", "column": "n"}), relation, session, name="again")
    names = [row[0] for row in session.rows(f"DESCRIBE SELECT * FROM '{quarantine.path}'")]
    assert names == ["n", "_failed_rules", "_row_number", "_row_number_2", "_failed_rules_2"]


def test_a_lazy_relation_has_no_row_numbers(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"n": [1]}, lazy=True)
    with pytest.raises(ValueError, match="materialised"):
        set_aside(row_rules(relation, {"rule": "not_null", "column": "n"}), relation, session, name="x")


def _int64() -> Any:
    import pyarrow as pa

    return pa.int64()
