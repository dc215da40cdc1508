"""Conditions are checked once, embedded in parentheses, and have to be true or false."""

import pytest

from etlml.compute.schema import Schema
from etlml.errors import ExpressionInvalid
from etlml.validation.conditions import checked_condition

SCHEMA = Schema.of([("a", "INTEGER"), ("b", "BOOLEAN")])


def test_checked_condition_is_safe_to_embed() -> None:
    assert checked_condition("a > 1 OR b", SCHEMA, label="x") == "(a > 1 OR b)"
    assert checked_condition("a > 1 -- why", SCHEMA, label="x").endswith("\n)")


@pytest.mark.parametrize("text", ["b", "a IN (1, 2)", "not b"])
def test_checked_condition_takes_what_is_true_or_false(text: str) -> None:
    checked_condition(text, SCHEMA, label="x")


def test_checked_condition_refuses_a_number() -> None:
    with pytest.raises(
        ExpressionInvalid, match=r"Where of rule 2 must be true or false for each row, but 'a' is INTEGER"
    ):
        checked_condition("a", SCHEMA, label="rule 2")
