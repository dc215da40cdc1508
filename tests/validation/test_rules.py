"""What is wrong with a rule is found before any data is read, and the message says the mend."""

from typing import Any

import pytest

from etlml.compute.schema import Schema
from etlml.errors import ColumnMissing, ConfigInvalid, EtlmlError, ExpressionInvalid, SqlRefused
from etlml.validation.step_rules import check_validations

FLIGHTS = Schema.of(
    [
        ("distance", "BIGINT"),
        ("delay", "DOUBLE"),
        ("carrier", "VARCHAR"),
        ("day", "DATE"),
        ("at", "TIMESTAMP"),
        ("late", "BOOLEAN"),
        ("tags", "VARCHAR[]"),
        ("size", "ENUM('S', 'M')"),
    ]
)


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        ({"rule": "betwen"}, ConfigInvalid, "there is no rule 'betwen'. Did you mean 'between'?"),
        ({"column": "distance"}, ConfigInvalid, r"rules\[0\]' needs 'rule'"),
        ({"rule": "not_null"}, ConfigInvalid, r"'rules\[0\].column' is missing"),
        ({"rule": "not_null", "column": "delay", "colum": "x"}, ConfigInvalid, "Did you mean 'column'"),
        ({"rule": "not_null", "column": "delay", "mostly": 1.1}, ConfigInvalid, "at most 1"),
        ({"rule": "not_null", "column": "delay", "severity": "eror"}, ConfigInvalid, "Did you mean 'error'"),
        (
            {"rule": "not_null", "column": "distanse"},
            ColumnMissing,
            r"rule 1 \(not_null\(distanse\)\) has no column.* 'distance'",
        ),
        ({"rule": "between", "column": "distance"}, ConfigInvalid, "needs min, max or both"),
        ({"rule": "between", "column": "distance", "min": 5, "max": 1}, ConfigInvalid, "swap them"),
        ({"rule": "between", "column": "distance", "min": True}, ConfigInvalid, "no order"),
        ({"rule": "between", "column": "distance", "max": float("inf")}, ConfigInvalid, "leave a bound out"),
        (
            {"rule": "between", "column": "distance", "min": "few"},
            ConfigInvalid,
            "min is 'few', but column 'distance' is BIGINT",
        ),
        (
            {"rule": "between", "column": "carrier", "min": 1},
            ConfigInvalid,
            "is VARCHAR. .* cast the column to a number",
        ),
        (
            {"rule": "between", "column": "at", "min": "1/2/2013"},
            ConfigInvalid,
            "Give a time such as '2024-01-31 12:00:00'",
        ),
        ({"rule": "between", "column": "day", "min": 2013}, ConfigInvalid, "Give a date such as '2024-01-31'"),
        ({"rule": "between", "column": "tags", "min": "a"}, ConfigInvalid, "cannot be compared"),
        ({"rule": "between", "column": "late", "min": 0}, ConfigInvalid, "'late' is BOOLEAN"),
        ({"rule": "in_set", "column": "carrier", "values": []}, ConfigInvalid, "at least one"),
        ({"rule": "in_set", "column": "carrier", "values": ["a", None]}, ConfigInvalid, "leave null out"),
        ({"rule": "in_set", "column": "carrier", "values": [9]}, ConfigInvalid, "'carrier' is VARCHAR"),
        ({"rule": "in_set", "column": "late", "values": ["yes"]}, ConfigInvalid, "Give true or false"),
        ({"rule": "matches", "column": "carrier", "regex": "A(b"}, ConfigInvalid, r"missing \)"),
        (
            {"rule": "matches", "column": "distance", "regex": "A"},
            ConfigInvalid,
            "needs text, but column 'distance' is BIGINT",
        ),
        ({"rule": "sql", "where": "distance +"}, ExpressionInvalid, "(?s)rule 1 .*character"),
        ({"rule": "sql", "where": "distance + 1"}, ExpressionInvalid, "must be true or false"),
        ({"rule": "sql", "where": "distanc > 1"}, ColumnMissing, "Did you mean 'distance'"),
        ({"rule": "sql", "where": "(SELECT true)"}, SqlRefused, "subquery"),
        ({"rule": "sql", "where": "getenv('HOME') = ''"}, EtlmlError, "getenv"),
        ({"rule": "sql", "where": "distance > 1; SELECT 1"}, EtlmlError, "rule 1"),
        ({"rule": "sql", "where": "count(*) > 1"}, SqlRefused, "aggregate"),
        (
            {"rule": "not_null", "column": "delay", "where": "carrier"},
            ExpressionInvalid,
            "Where of rule 1 .*'carrier' is VARCHAR",
        ),
        ({"rule": "row_count_between"}, ConfigInvalid, "needs min, max or both"),
        ({"rule": "row_count_between", "min": 3, "max": 2}, ConfigInvalid, "swap them"),
        ({"rule": "row_count_between", "min": 3, "mostly": 0.5}, ConfigInvalid, "mostly"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(rule: dict[str, Any], error: type[EtlmlError], message: str) -> None:
    with pytest.raises(error, match=message):
        check_validations([rule], FLIGHTS)


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "between", "column": "DISTANCE", "min": "1"},
        {"rule": "between", "column": "delay", "min": -10.5, "max": 3},
        {"rule": "between", "column": "carrier", "min": "A", "max": "Z"},
        {"rule": "between", "column": "day", "min": "2013-01-01", "max": "2013-12-31T12:00:00"},
        {"rule": "in_set", "column": "late", "values": [True]},
        {"rule": "in_set", "column": "day", "values": ["2013-01-01"]},
        {"rule": "matches", "column": "size", "regex": "[SM]"},
        {"rule": "unique", "column": "tags", "where": "late"},
        {"rule": "sql", "where": "len(tags) > 0 OR day < current_date"},
        {"rule": "row_count_between", "max": 0, "where": "distance < 0", "mostly": 1},
    ],
)
def test_a_rule_that_fits_is_taken(rule: dict[str, Any]) -> None:
    assert len(check_validations([rule], FLIGHTS)) == 1


def test_without_columns_only_the_form_of_a_rule_is_checked() -> None:
    check_validations([{"rule": "between", "column": "anything", "min": 1, "where": "x > y"}], None)
    with pytest.raises(ExpressionInvalid):
        check_validations([{"rule": "sql", "where": "x >"}], None)


def test_arguments_are_what_a_person_set() -> None:
    (rule,) = check_validations(
        [{"rule": "between", "column": "day", "min": "2013-01-01", "mostly": 0.9, "severity": "info"}], None
    )
    assert rule.arguments() == {"min": "2013-01-01", "mostly": 0.9}
