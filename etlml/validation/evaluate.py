"""Rules measured on a relation, in as few scans as may be.

One aggregate query counts for all rules; a rule that needs more (duplicates that are no dense whole numbers, the commonest
failing values) has a query of its own; failing rows are looked up for the rules that are broken only.
"""

from collections.abc import Sequence
from typing import Any

from etlml.compute.names import quoted, quoted_list
from etlml.compute.relation import Relation
from etlml.compute.session import Session
from etlml.documents import RuleResult
from etlml.errors import EtlmlError, MemoryExceeded, StepCancelled, StepError, StepTimeout
from etlml.validation.rule import Facts, Measured, RowRule, Rule, Verdict
from etlml.validation.values import json_safe

SAMPLE_ROWS = 5
SAMPLE_COLUMNS = 20
_NOT_THE_RULES_FAULT = (StepCancelled, MemoryExceeded, StepTimeout)


def evaluate(
    rules: Sequence[Rule], relation: Relation, session: Session, *, sample_rows: int = SAMPLE_ROWS
) -> list[RuleResult]:
    """What each rule finds in the relation, in the order of the rules.

    Args:
        rules: Checked rules (see ``Rule.check``).
        relation: What to look at. Materialise it first: a lazy one is computed anew by every query.
        session: The session that holds the relation's view.
        sample_rows: At most so many failing rows are shown for a broken rule.

    Raises:
        StepError: A rule's expression fails on these rows (a value cannot be converted); the message names the rule.
    """
    measured = measure(rules, relation, session)
    return [
        _result(rule, rule.verdict(facts), measured, session, sample_rows=sample_rows)
        for rule, facts in zip(rules, _facts(rules, measured, session), strict=True)
    ]


def measure(rules: Sequence[Rule], relation: Relation, session: Session) -> Measured:
    """What is known before the scan; for a checkpoint the ranges of columns come from the file's statistics, for free."""
    source = quoted(relation.name)
    wanted = {
        rule.target.lower(): rule.target
        for rule in rules
        if relation.path is not None
        and rule.target is not None
        and rule.wants_range(relation.schema.column(rule.target))
    }
    if not wanted:
        return Measured(source, relation.schema, relation.rows)
    ends = ", ".join(f"min({quoted(column)}), max({quoted(column)})" for column in wanted.values())
    (row,) = session.rows(f"SELECT {ends} FROM {source}")
    ranges = {column: (row[2 * place], row[2 * place + 1]) for place, column in enumerate(wanted)}
    return Measured(source, relation.schema, relation.rows, ranges)


def _facts(rules: Sequence[Rule], measured: Measured, session: Session) -> list[dict[str, Any]]:
    found = _scanned(rules, measured, session)
    for rule, facts in zip(rules, found, strict=True):
        lowest, highest = measured.ranges.get((rule.target or "").lower(), (None, None))
        facts.setdefault("lowest", lowest)
        facts.setdefault("highest", highest)
        facts.setdefault("rows", measured.rows)
        query = rule.second_look(measured, facts)
        if query is not None:
            facts |= _second_look(query, rule, session)
    return found


def _scanned(rules: Sequence[Rule], measured: Measured, session: Session) -> list[dict[str, Any]]:
    """The aggregates of all rules, by one scan."""
    named = [rule.aggregates(measured) for rule in rules]
    expressions = [expression for aggregates in named for expression in aggregates.values()]
    unique = list(dict.fromkeys(expressions))
    if not unique:
        return [{} for _ in rules]
    try:
        (row,) = session.rows(f"SELECT {', '.join(unique)} FROM {measured.source}")
    except _NOT_THE_RULES_FAULT:
        raise
    except EtlmlError as error:
        if len(rules) == 1:
            raise _of_rule(error, rules[0]) from error
        for rule in rules:
            _scanned([rule], measured, session)  # raises for the rule at fault
        raise
    value = dict(zip(unique, row, strict=True))
    return [{name: value[expression] for name, expression in aggregates.items()} for aggregates in named]


def _second_look(query: str, rule: Rule, session: Session) -> Facts:
    try:
        with session.cursor() as cursor:
            result = cursor.execute(query)
            names = [str(column[0]) for column in result.description or ()]
            return dict(zip(names, result.fetchone() or (), strict=False))
    except _NOT_THE_RULES_FAULT:
        raise
    except EtlmlError as error:
        raise _of_rule(error, rule) from error


def _result(rule: Rule, verdict: Verdict, measured: Measured, session: Session, *, sample_rows: int) -> RuleResult:
    sample: list[dict[str, Any]] = []
    if not verdict.success and isinstance(rule, RowRule) and sample_rows:
        sample = failing_sample(rule, measured, session, rows=sample_rows)
    return RuleResult(
        rule=rule.name,
        column=None if rule.target is None else measured.schema.column(rule.target).name,
        arguments=rule.arguments(),
        severity=rule.severity,
        success=verdict.success,
        checked=verdict.checked,
        failed=verdict.failed,
        failed_fraction=verdict.failed / verdict.checked if verdict.checked else 0.0,
        observed=json_safe(verdict.observed),
        sample=sample,
        message=verdict.message,
    )


def failing_sample(rule: RowRule, measured: Measured, session: Session, *, rows: int) -> list[dict[str, Any]]:
    """The first rows that break the rule, JSON-safe; of a wide row the first columns, the rule's own foremost."""
    names = list(measured.schema.names)
    if rule.target is not None:
        first = measured.schema.column(rule.target).name
        names = [first, *(name for name in names if name != first)]
    names = names[:SAMPLE_COLUMNS]
    found = session.rows(
        f"SELECT {quoted_list(names)} FROM {measured.source} WHERE {rule.failing_rows(measured)} LIMIT {rows}"
    )
    return [{name: json_safe(value) for name, value in zip(names, row, strict=True)} for row in found]


def _of_rule(error: EtlmlError, rule: Rule) -> EtlmlError:
    kind = type(error) if type(error) is not EtlmlError else StepError
    try:
        return kind(f"Rule {rule.label} cannot be evaluated: {error.message}", **error.details)
    except TypeError:  # an error class with arguments of its own says enough by itself
        return error
