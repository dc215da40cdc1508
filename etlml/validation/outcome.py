"""From what the rules found to one outcome: its status and its score."""

import math
from collections.abc import Sequence

from etlml.documents import RuleResult, Severity, ValidationStatus

WEIGHTS: dict[Severity, int] = {"info": 1, "warning": 2, "error": 4, "critical": 8}


def status_of(results: Sequence[RuleResult]) -> ValidationStatus:
    """failed if a rule of severity error or critical is broken, warning if only lesser ones are, else passed."""
    broken = {result.severity for result in results if not result.success}
    if broken & {"error", "critical"}:
        return "failed"
    return "warning" if broken else "passed"


def score_of(results: Sequence[RuleResult]) -> float:
    """How good the data are, 0 to 1: the mean over the rules, weighted by severity, of the share that holds.

    score = sum(weight * share) / sum(weight), with weight info 1, warning 2, error 4, critical 8, and share 1 for a rule that
    holds (also one that holds thanks to ``mostly``), else 1 - failed / checked. Cut, not rounded, to 4 decimals, so that the
    score is 1 only when every rule holds; without rules it is 1.
    """
    total = sum(WEIGHTS[result.severity] for result in results)
    if not total:
        return 1.0
    reached = sum(
        WEIGHTS[result.severity] * (1.0 if result.success else 1.0 - result.failed_fraction) for result in results
    )
    if all(result.success for result in results):
        return 1.0
    return min(math.floor(reached / total * 10_000) / 10_000, 0.9999)


def broken_rules(results: Sequence[RuleResult], *severities: Severity) -> list[RuleResult]:
    """The rules that are broken, of these severities if any are given."""
    return [result for result in results if not result.success and (not severities or result.severity in severities)]
