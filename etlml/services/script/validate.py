"""Rules in a script: the conditions that pick checked and failing rows, counted in one query."""

from collections.abc import Sequence
from typing import Any

from etlml.compute.names import quoted
from etlml.compute.schema import Schema
from etlml.errors import StateConflict
from etlml.services.script.pieces import Body, Value, call
from etlml.services.script.sql_layout import unquoted_names
from etlml.steps.validate import ValidateConfig
from etlml.validation.quarantine import rule_labels
from etlml.validation.rule import Measured, RowRule, Rule
from etlml.validation.rules import RowCountBetween
from etlml.validation.step_rules import check_rules, rules_on


def validate_body(step: str, config: ValidateConfig, need: str, schema: Schema | None) -> Body:
    """What a validate step does."""
    body = Body()
    named = {} if config.on_failure == "fail" else {"on_failure": Value(config.on_failure)}
    body.add(
        *call("check_rules", Value(step), Value(need), Value(written_rules(step, config.rules, need, schema)), **named)
    )
    return body


def written_rules(step: str, rules: Sequence[Rule], rows: str, schema: Schema | None) -> list[dict[str, Any]]:
    """The rules that are on as a script holds them: a name, conditions, what is wrong with a row that fails.

    Args:
        rows: The table that they are about.

    Raises:
        StateConflict: The columns are not known yet, or a rule is of a kind that no condition tells.
    """
    if schema is None:
        raise StateConflict(
            f"Step {step!r} cannot be written down yet: its rules need to know the columns, which only a run can tell. "
            "Run the pipeline once, then export it again.",
            step=step,
        )
    check_rules(rules, schema)
    rules = rules_on(rules)
    return [_written(step, rule, label, rows, schema) for rule, label in zip(rules, rule_labels(rules), strict=True)]


def _written(step: str, rule: Rule, label: str, rows: str, schema: Schema) -> dict[str, Any]:
    found: dict[str, Any] = {"rule": label}
    if isinstance(rule, RowRule):
        measured = Measured(quoted(rows), schema)
        if (checked := rule.checked_rows(schema)) is not None:
            found["checked"] = _bare(checked)
        found["failing"] = _bare(rule.failing_rows(measured))
        what = "rows " if rule.target is None else ""
        found["says"] = what + rule.complaint(2, {})
        if rule.mostly != 1:
            found["mostly"] = rule.mostly
    elif isinstance(rule, RowCountBetween):
        condition = rule.aggregates(Measured(quoted(rows), schema, None if rule.where else 0)).get("rows", "")
        if condition:
            found["checked"] = _bare(condition.removeprefix("count(*) FILTER (").removesuffix(")"))
        found |= {key: value for key, value in (("min", rule.min), ("max", rule.max)) if value is not None}
    else:
        raise StateConflict(
            f"Step {step!r} has the rule {rule.name!r}, which a script cannot check. Take it out, then export again.",
            step=step,
        )
    if rule.severity != "error":
        found["severity"] = rule.severity
    return found


def _bare(condition: str) -> str:
    """A condition without needless quotes, and without brackets around all of it."""
    text = unquoted_names(condition)
    while text.startswith("(") and text.endswith(")") and text.count("(") == text.count(")") and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    """Whether the first bracket is closed by the last one; texts in it make that hard to tell, so then it is not."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(text) - 1 and "'" not in text
    return False
