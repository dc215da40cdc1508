"""Rules find exactly what a plain loop in Python finds."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlml.compute.relation import Relation
from etlml.compute.session import Session
from etlml.documents import RuleResult
from etlml.errors import StepCancelled, StepError
from etlml.validation.evaluate import SAMPLE_COLUMNS, evaluate
from etlml.validation.step_rules import check_validations

ARelation = Callable[..., Relation]
Row = Mapping[str, Any]
TYPES = {"n": pa.int64(), "big": pa.int64(), "f": pa.float64(), "t": pa.string(), "d": pa.date32(), "b": pa.bool_()}
CONDITIONS: dict[str, Callable[[Row], bool]] = {
    "n > 0": lambda row: row["n"] is not None and row["n"] > 0,
    "t = 'a' OR b": lambda row: row["t"] == "a" or row["b"] is True,
    "d IS NULL": lambda row: row["d"] is None,
}
CLAIMS: dict[str, Callable[[Row], bool | None]] = {
    "n <> 1": lambda row: None if row["n"] is None else row["n"] != 1,
    "big > n": lambda row: None if None in (row["big"], row["n"]) else row["big"] > row["n"],
    "b": lambda row: row["b"],
}


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": maybe(st.integers(-3, 6)),
            "big": maybe(st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1])),
            "f": maybe(st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 0.1, 2.5, -7.25])),
            "t": maybe(st.text(alphabet="aZ9é'\"\\ \n🎉", max_size=3)),
            "d": maybe(st.dates(date(2023, 12, 30), date(2024, 1, 3))),
            "b": maybe(st.booleans()),
        }
    ),
    max_size=12,
)
COMMON = st.fixed_dictionaries(
    {"mostly": st.sampled_from([1.0, 0.5, 0.9, 0.0])}, optional={"where": st.sampled_from(sorted(CONDITIONS))}
)
COLUMN = st.sampled_from(sorted(TYPES))
BOUNDS = {
    "n": [-1, 2.5, 4],
    "big": [-1, 0, 2**63 - 1],
    "f": [0, 0.1, 2.5],
    "t": ["", "a", "é"],
    "d": ["2023-12-31", "2024-01-02"],
}
VALUES = {"n": [0, 1, 2.0, 3, 4], "big": [0, 7], "f": [0, 0.1, 2.5, 9], "t": ["a", "é'", "", "Z9"], "b": [True]}
PATTERNS = ["[a-z]+", r"\d?", ".*é.*", "🎉|a"]


@st.composite
def a_between(draw: st.DrawFn) -> dict[str, Any]:
    column = draw(st.sampled_from(sorted(BOUNDS)))
    low, high = sorted(draw(st.lists(st.sampled_from(BOUNDS[column]), min_size=2, max_size=2)))
    bounds = draw(st.sampled_from([{"min": low}, {"max": high}, {"min": low, "max": high}]))
    strict = draw(st.fixed_dictionaries({"strict_min": st.booleans(), "strict_max": st.booleans()}))
    return {"rule": "between", "column": column, **bounds, **strict}


@st.composite
def an_in_set(draw: st.DrawFn) -> dict[str, Any]:
    column = draw(st.sampled_from(sorted(VALUES)))
    return {"rule": "in_set", "column": column, "values": draw(st.lists(st.sampled_from(VALUES[column]), min_size=1))}


RULES = st.builds(
    lambda rule, common: {**common, **rule},
    st.one_of(
        st.builds(lambda column: {"rule": "not_null", "column": column}, COLUMN),
        st.builds(lambda column: {"rule": "unique", "column": column}, COLUMN),
        st.builds(lambda regex: {"rule": "matches", "column": "t", "regex": regex}, st.sampled_from(PATTERNS)),
        st.builds(lambda where: {"rule": "sql", "where": where}, st.sampled_from(sorted(CLAIMS))),
        a_between(),
        an_in_set(),
    ),
    COMMON,
)


def holds(rule: Row, row: Row, twins: Counter[Any]) -> bool | None:
    """What a person would say of one row; None where the rule does not look at it."""
    if rule["rule"] == "sql":
        return CLAIMS[rule["where"]](row)
    value = row[rule["column"]]
    if rule["rule"] == "not_null":
        return value is not None
    if value is None:
        return None
    if rule["rule"] == "unique":
        return twins[key(value)] == 1
    if rule["rule"] == "matches":
        return re.fullmatch(rule["regex"], value) is not None
    if rule["rule"] == "in_set":
        return value in rule["values"]
    return lies_between(rule, value)


def key(value: Any) -> Any:
    return "NaN" if value != value else value


def lies_between(rule: Row, value: Any) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return False
    low, high = rule.get("min"), rule.get("max")
    if isinstance(value, date):
        low, high = (None if bound is None else date.fromisoformat(bound) for bound in (low, high))
    above = low is None or (value > low if rule["strict_min"] else value >= low)
    below = high is None or (value < high if rule["strict_max"] else value <= high)
    return above and below


def expected(rule: Row, rows: list[dict[str, Any]]) -> tuple[int, int, bool]:
    condition = CONDITIONS.get(rule.get("where", "")) if rule["rule"] != "sql" else None
    looked_at = [row for row in rows if condition is None or condition(row)]
    twins = (
        Counter(key(row[rule["column"]]) for row in looked_at if row[rule["column"]] is not None)
        if "column" in rule
        else Counter()
    )
    answers = [answer for row in looked_at if (answer := holds(rule, row, twins)) is not None]
    failed = answers.count(False)
    share = Fraction(str(rule["mostly"]))
    return len(answers), failed, len(answers) - failed >= share * len(answers)


def found(results: list[RuleResult]) -> list[tuple[int, int, bool]]:
    return [(result.checked, result.failed, result.success) for result in results]


@pytest.mark.slow
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rows=ROWS, rules=st.lists(RULES, min_size=1, max_size=6))
def test_every_rule_agrees_with_a_plain_loop_on_lazy_and_materialised_relations(
    rows: list[dict[str, Any]], rules: list[dict[str, Any]], a_relation: ARelation, session: Session
) -> None:
    columns = {column: [row[column] for row in rows] for column in TYPES}
    wanted = [expected(rule, rows) for rule in rules]
    for lazy in (False, True):
        relation = a_relation(columns, types=TYPES, lazy=lazy)
        results = evaluate(check_validations(rules, relation.schema), relation, session)
        assert found(results) == wanted
        for result in results:
            assert len(result.sample) == (0 if result.success else min(result.failed, 5))
            assert (result.failed_fraction == 0) == (result.failed == 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(maybe(st.integers(-5, 50) | st.just(2**40)), max_size=30))
def test_unique_counts_the_same_with_and_without_a_bit_set(
    values: list[int | None], a_relation: ARelation, session: Session
) -> None:
    twins = Counter(value for value in values if value is not None)
    failed = sum(count for count in twins.values() if count > 1)
    for lazy in (False, True):
        relation = a_relation({"n": values}, types=TYPES, lazy=lazy)
        (result,) = evaluate(check_validations([{"rule": "unique", "column": "n"}], relation.schema), relation, session)
        assert (result.checked, result.failed) == (twins.total(), failed)
        assert result.observed["distinct"] == len(twins)
        assert result.observed["duplicated"] == sum(count > 1 for count in twins.values())


def one(rule: dict[str, Any], relation: Relation, session: Session) -> RuleResult:
    (result,) = evaluate(check_validations([rule], relation.schema), relation, session)
    return result


def test_messages_give_counts_column_and_expectation(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"distance": [1, 20_000, 5, None], "code": ["A1", "b", None, "b"]})
    message = {
        "between": {"rule": "between", "column": "distance", "min": 1, "max": 10000},
        "below": {"rule": "between", "column": "distance", "min": 5},
        "strict": {"rule": "between", "column": "distance", "min": 1, "strict_min": True},
        "not_null": {"rule": "not_null", "column": "code"},
        "in_set": {"rule": "in_set", "column": "code", "values": ["A1"]},
        "matches": {"rule": "matches", "column": "code", "regex": "[A-Z][0-9]"},
        "unique": {"rule": "unique", "column": "code"},
        "sql": {"rule": "sql", "where": "distance < 10"},
        "tolerated": {"rule": "not_null", "column": "code", "mostly": 0.7},
        "too many": {"rule": "not_null", "column": "code", "mostly": 0.9},
        "where": {"rule": "between", "column": "distance", "max": 3, "where": "distance < 10"},
        "few rows": {"rule": "row_count_between", "min": 5},
        "pass": {"rule": "between", "column": "distance", "max": 99999},
    }
    results = {name: one(rule, relation, session).message for name, rule in message.items()}
    assert results == {
        "between": "1 of 3 values of 'distance' is outside 1 to 10000.",
        "below": "1 of 3 values of 'distance' is below 5.",
        "strict": "1 of 3 values of 'distance' is not above 1.",
        "not_null": "1 of 4 values of 'code' is missing (null).",
        "in_set": "2 of 3 values of 'code' are not in the set 'A1': 'b'.",
        "matches": "2 of 3 values of 'code' do not match [A-Z][0-9]: 'b'.",
        "unique": "2 of 3 values of 'code' are not unique: 'b'.",
        "sql": "1 of 3 rows does not meet: distance < 10.",
        "tolerated": "1 of 4 values of 'code' is missing (null) (25.00 %; within the 30.00 % allowed).",
        "too many": "1 of 4 values of 'code' is missing (null) (25.00 %; more than the 10.00 % allowed).",
        "where": "1 of 2 values of 'distance' (where distance < 10) is above 3.",
        "few rows": "There are 4 rows, not at least 5.",
        "pass": "All 3 values of 'distance' pass.",
    }


def test_observed_tells_what_the_values_are_like(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"n": [3, 1, 1, None], "t": ["x", "x", "y", "z"]})
    observed = {
        rule["rule"]: one(rule, relation, session).observed
        for rule in (
            {"rule": "between", "column": "n", "min": 0},
            {"rule": "not_null", "column": "n"},
            {"rule": "unique", "column": "n"},
            {"rule": "in_set", "column": "t", "values": ["z"]},
            {"rule": "row_count_between", "max": 9},
        )
    }
    assert observed == {
        "between": {"min": 1, "max": 3},
        "not_null": {"nulls": 1},
        "unique": {"distinct": 2, "duplicated": 1, "failing": [{"value": 1, "rows": 2}]},
        "in_set": {"failing": [{"value": "x", "rows": 2}, {"value": "y", "rows": 1}]},
        "row_count_between": {"rows": 4},
    }


def test_rules_pass_on_zero_rows_and_say_that_nothing_was_checked(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"n": [], "t": []}, types=TYPES)
    rules: list[dict[str, Any]] = [
        {"rule": "not_null", "column": "n"},
        {"rule": "unique", "column": "n"},
        {"rule": "between", "column": "n", "min": 1},
        {"rule": "in_set", "column": "t", "values": ["a"]},
        {"rule": "matches", "column": "t", "regex": "a"},
        {"rule": "sql", "where": "n > 1"},
    ]
    for result in evaluate(check_validations(rules, relation.schema), relation, session):
        assert (result.success, result.checked, result.failed) == (True, 0, 0)
        assert result.message.startswith("No ")
    assert not one({"rule": "row_count_between", "min": 1}, relation, session).success


def test_a_sample_shows_the_rules_own_column_first_and_not_all_of_a_wide_row(
    a_relation: ARelation, session: Session
) -> None:
    relation = a_relation({f"c{number}": ["x" * 500] for number in range(50)})
    (row,) = one({"rule": "in_set", "column": "c40", "values": ["y"]}, relation, session).sample
    assert len(row) == SAMPLE_COLUMNS
    assert next(iter(row)) == "c40"
    assert len(row["c40"]) == 200


def test_a_column_is_found_and_shown_as_the_data_spell_it(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"Distance": [1, None]})
    result = one({"rule": "not_null", "column": "DISTANCE"}, relation, session)
    assert result.column == "Distance"
    assert result.sample == [{"Distance": None}]


def test_dates_and_times_are_bounded_by_iso_text(a_relation: ARelation, session: Session) -> None:
    relation = a_relation(
        {
            "at": [datetime.fromisoformat("2024-01-01T12:00"), datetime.fromisoformat("2024-01-02")],
            "day": [date(2024, 1, 1), date(2024, 1, 2)],
        }
    )
    assert one({"rule": "between", "column": "at", "max": "2024-01-01T18:00:00+06:00"}, relation, session).failed == 1
    assert (
        one({"rule": "between", "column": "at", "min": "2024-01-01", "max": date(2024, 1, 2)}, relation, session).failed
        == 0
    )
    assert one({"rule": "between", "column": "day", "max": "2024-01-01"}, relation, session).observed == {
        "min": "2024-01-01",
        "max": "2024-01-02",
    }


def test_an_expression_that_fails_on_the_data_names_its_rule(a_relation: ARelation, session: Session) -> None:
    relation = a_relation({"t": ["1", "x"]})
    rules = [{"rule": "not_null", "column": "t"}, {"rule": "sql", "where": "t::INTEGER > 0"}]
    with pytest.raises(StepError, match=r"Rule sql cannot be evaluated: .*'x'"):
        evaluate(check_validations(rules, relation.schema), relation, session)


def test_an_interrupted_session_stops_the_evaluation(tmp_path: Any) -> None:
    with Session(tmp_path, memory_bytes=2**28, width=1) as session:
        relation = session.materialise(session.define("t", _numbers(10)), tmp_path / "t.parquet")
        session.interrupt()
        with pytest.raises(StepCancelled):
            evaluate(check_validations([{"rule": "not_null", "column": "n"}], relation.schema), relation, session)


def test_all_row_rules_share_one_scan(a_relation: ARelation, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    relation = a_relation({"n": [1, 2, 3], "t": ["a", "b", "c"]})
    rules = check_validations(
        [
            {"rule": "not_null", "column": "n"},
            {"rule": "unique", "column": "n"},
            {"rule": "between", "column": "n", "min": 0},
            {"rule": "in_set", "column": "t", "values": ["a", "b", "c", "d"]},
            {"rule": "matches", "column": "t", "regex": "[a-c]"},
        ],
        relation.schema,
    )
    statements: list[str] = []
    rows = session.rows
    monkeypatch.setattr(session, "rows", lambda sql: statements.append(sql) or rows(sql))
    assert all(result.success for result in evaluate(rules, relation, session))
    assert len(statements) == 2  # the ranges from the file's statistics, then the scan


def test_the_number_of_rows_of_a_checkpoint_costs_no_query(
    a_relation: ARelation, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    relation = a_relation({"n": [1, 2, 3]})
    rules = check_validations([{"rule": "row_count_between", "min": 3, "max": 3}], relation.schema)
    monkeypatch.setattr(session, "rows", lambda sql: pytest.fail(sql))
    assert evaluate(rules, relation, session)[0].success


def _numbers(count: int) -> Any:
    from etlml.compute.relation import Query

    return Query(f"SELECT i AS n FROM range({count}) AS t(i)")
