"""A step's validations[] give an outcome, or the error that carries it."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from etlml.compute.relation import Relation
from etlml.compute.session import Session
from etlml.errors import ColumnMissing, ValidationFailed
from etlml.validation.step_rules import check_validations, run_validations, validation

ARelation = Callable[..., Relation]


@dataclass(frozen=True)
class APlace:
    session: Session
    step_id: str = "clean"


def test_run_validations_gives_the_outcome_when_only_warnings_are_broken(
    a_relation: ARelation, session: Session
) -> None:
    rules = [{"rule": "not_null", "column": "n", "severity": "warning"}, {"rule": "row_count_between", "min": 1}]
    outcome = run_validations(rules, a_relation({"n": [1, None]}), APlace(session), name="clean")
    assert (outcome.status, outcome.row_count, outcome.step_id, outcome.name) == ("warning", 2, "clean", "clean")
    assert outcome.duration_ms > 0


def test_run_validations_raises_with_the_outcome_when_a_grave_rule_is_broken(
    a_relation: ARelation, session: Session
) -> None:
    rules = [{"rule": "not_null", "column": "n"}, {"rule": "unique", "column": "n", "severity": "critical"}]
    with pytest.raises(ValidationFailed, match=r"2 rules of 2 are broken: 1 of 3 values of 'n' is missing") as caught:
        run_validations(rules, a_relation({"n": [1, 1, None]}), APlace(session), name="clean")
    assert caught.value.outcome.status == "failed"
    assert [rule["rule"] for rule in caught.value.details["rules"]] == ["not_null", "unique"]
    assert pickle.loads(pickle.dumps(caught.value)).outcome == caught.value.outcome


def test_a_lazy_relation_is_counted(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"n": [1, 2, 3]}, lazy=True)
    rules = check_validations([{"rule": "not_null", "column": "n"}], relation.schema)
    assert validation(rules, relation, session, name="x").row_count == 3


def test_a_rule_that_is_off_is_neither_checked_nor_counted(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"n": [1, None]})
    off = [{"rule": "not_null", "column": column, "enabled": False} for column in ("n", "nowhere")]
    on = {"rule": "row_count_between", "min": 1, "enabled": True}
    outcome = run_validations([*off, on], relation, APlace(session), name="clean")
    assert [(result.rule, result.arguments) for result in outcome.rules] == [("row_count_between", {"min": 1})]
    assert (outcome.status, outcome.score) == ("passed", 1.0)
    with pytest.raises(ColumnMissing, match="rule 2"):
        check_validations([off[0], {**off[1], "enabled": True}], relation.schema)


@pytest.mark.parametrize("column", ['we"ird', "~value", "rows", "value", "select", "n", "t", "🎉", "it's", "a.b", "$1"])
def test_any_column_name_will_do(column: str, a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"other": [1, 2, 3, 4], column: ["x", "x", None, "y"]})
    rules = [
        {"rule": "not_null", "column": column},
        {"rule": "unique", "column": column},
        {"rule": "in_set", "column": column, "values": ["y"]},
        {"rule": "matches", "column": column, "regex": "y"},
        {"rule": "between", "column": column, "min": "y"},
    ]
    outcome = validation(check_validations(rules, relation.schema), relation, session, name="x")
    assert [result.failed for result in outcome.rules] == [1, 2, 2, 2, 2]
    assert outcome.rules[1].observed["failing"] == [{"value": "x", "rows": 2}]
