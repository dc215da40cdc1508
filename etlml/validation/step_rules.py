"""Rules as documents hold them: read, checked, and run on a step's result."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from etlml.compute.names import quoted
from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.documents import RuleResult, Validation
from etlml.errors import ValidationFailed
from etlml.invalid import config_invalid
from etlml.validation.evaluate import evaluate
from etlml.validation.outcome import broken_rules, score_of, status_of
from etlml.validation.rule import Rule
from etlml.validation.rules import AnyRule

RuleDocument = Mapping[str, Any]


class RuleList(BaseModel):
    """Rules as one document, so that complaints name ``rules[0].min``."""

    rules: list[AnyRule]


class Place(Protocol):
    """Where rules are run: what they need of a step's context."""

    @property
    def session(self) -> Session: ...

    @property
    def step_id(self) -> str: ...


def typed_rules(rules: Sequence[RuleDocument]) -> list[Rule]:
    """Rules from their documents.

    Raises:
        ConfigInvalid: A rule is not known, or a field of it is unknown, missing or of the wrong kind; the place is named.
    """
    try:
        return list(RuleList(rules=[dict(rule) for rule in rules]).rules)
    except ValidationError as error:
        raise config_invalid(error, RuleList, where="The rules") from None


def rules_on(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that are not switched off."""
    return [rule for rule in rules if rule.enabled]


def is_on(rule: RuleDocument) -> bool:
    """Whether a rule, as a document holds it, is not switched off."""
    return rule.get("enabled", True) is not False


def check_rules(rules: Sequence[Rule], schema: Schema | None) -> None:
    """Raise for the first rule that cannot be used on these columns (None: not known yet); the message says which it is.

    Rules that are off may be wrong.
    """
    for number, rule in enumerate(rules, start=1):
        if rule.enabled:
            rule.check(schema, label=f"rule {number} ({rule.label})")


def check_validations(rules: Sequence[RuleDocument], schema: Schema | None) -> list[Rule]:
    """Read a step's validations[] and check them against the columns of its result."""
    found = typed_rules(rules)
    check_rules(found, schema)
    return found


def run_validations(rules: Sequence[RuleDocument], relation: Relation, context: Place, name: str) -> Validation:
    """Run a step's validations[] on its result.

    Raises:
        ValidationFailed: A rule of severity error or critical is broken; ``.outcome`` is the Validation.
    """
    outcome = validation(check_validations(rules, relation.schema), relation, context.session, name=name)
    outcome.step_id = context.step_id
    if outcome.status == "failed":
        raise failure(outcome)
    return outcome


def validation(rules: Sequence[Rule], relation: Relation, session: Session, *, name: str) -> Validation:
    """Evaluate checked rules, those that are on, into one outcome; broken rules are its finding, not an error."""
    started = time.perf_counter()
    results = evaluate(rules_on(rules), relation, session)
    rows = relation.rows
    if rows is None:
        ((rows,),) = session.rows(f"SELECT count(*) FROM {quoted(relation.name)}")
    return Validation(
        name=name,
        dataset=relation.name,
        status=status_of(results),
        score=score_of(results),
        row_count=int(rows),
        rules=results,
        duration_ms=round((time.perf_counter() - started) * 1000, 3),
    )


def failure(outcome: Validation) -> ValidationFailed:
    """The error for an outcome that failed; it carries the outcome as ``.outcome``."""
    grave = broken_rules(outcome.rules, "error", "critical")
    shown = " ".join(result.message for result in grave[:3])
    more = f" (and {len(grave) - 3} more)" if len(grave) > 3 else ""
    error = ValidationFailed(
        f"{_count(len(grave), 'rule')} of {len(outcome.rules)} {'is' if len(grave) == 1 else 'are'} broken: {shown}{more}",
        rules=[_named(result) for result in grave],
        validation_id=outcome.id,
    )
    error.outcome = outcome
    return error


def _named(result: RuleResult) -> dict[str, Any]:
    return {"rule": result.rule, "column": result.column, "failed": result.failed, "message": result.message}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
