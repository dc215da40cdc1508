"""Status and score are functions of what the rules found."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlml.documents import RuleResult
from etlml.validation.outcome import broken_rules, score_of, status_of


def a_result(severity: Any = "error", *, success: bool = True, failed: int = 0, checked: int = 100) -> RuleResult:
    share = failed / checked if checked else 0.0
    return RuleResult(
        rule="not_null", severity=severity, success=success, checked=checked, failed=failed, failed_fraction=share
    )


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        ([], "passed"),
        (["info"], "warning"),
        (["warning", "info"], "warning"),
        (["warning", "error"], "failed"),
        (["critical"], "failed"),
    ],
)
def test_status_follows_the_gravest_broken_rule(broken: list[str], status: str) -> None:
    results = [a_result("critical"), *(a_result(severity, success=False, failed=1) for severity in broken)]
    assert status_of(results) == status
    assert [result.severity for result in broken_rules(results)] == broken


def test_score_weighs_the_share_of_good_rows_by_severity() -> None:
    results = [a_result("warning"), a_result("error", success=False, failed=25)]
    assert score_of(results) == pytest.approx((2 * 1 + 4 * 0.75) / 6, abs=1e-4)


def test_score_is_one_without_rules_and_when_failures_are_tolerated() -> None:
    assert score_of([]) == 1.0
    assert score_of([a_result(success=True, failed=3)]) == 1.0


def test_score_is_below_one_however_few_rows_fail() -> None:
    assert score_of([a_result(success=False, failed=1, checked=10**9), *[a_result("critical")] * 50]) == 0.9999


@given(
    st.lists(
        st.builds(
            lambda severity, failed: a_result(severity, success=failed == 0, failed=failed),
            st.sampled_from(["info", "warning", "error", "critical"]),
            st.integers(0, 100),
        )
    )
)
def test_score_is_one_exactly_when_every_rule_holds(results: list[RuleResult]) -> None:
    score = score_of(results)
    assert 0 <= score <= 1
    assert (score == 1) == all(result.success for result in results) == (status_of(results) == "passed")
