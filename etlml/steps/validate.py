"""The validate step: rules on its input, which it passes on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.documents import Validation
from etlml.sizes import plural
from etlml.steps.base import StepConfig, StepContext, StepResult
from etlml.validation.outcome import broken_rules
from etlml.validation.profile import profile_of
from etlml.validation.quarantine import set_aside
from etlml.validation.rule import RowRule, Rule
from etlml.validation.rules import AnyRule
from etlml.validation.step_rules import check_rules, failure, rules_on, validation


class ValidateConfig(StepConfig):
    """Check rules on the input and pass it on.

    ``on_failure`` says what a broken rule of severity error or critical does: ``fail`` fails the step; ``warn`` counts a
    warning; ``quarantine`` sets the rows that break it aside and passes the rest on. A table as a whole can't be set
    aside, so a broken table rule fails the step under ``quarantine`` too. Rules of severity warning and info only warn.
    A rule that is off is passed over.
    """

    rules: list[AnyRule] = Field(min_length=1)
    on_failure: Literal["fail", "warn", "quarantine"] = "fail"
    name: str = Field("", description="What the validation is called; the step's id if left out.")
    profile: bool = Field(
        False, description="Also note for each column its nulls, distinct values (about), least and greatest."
    )

    def check(self, inputs: Mapping[str, Schema | None], data_dir: Path | None = None) -> Schema | None:
        (schema,) = inputs.values()
        check_rules(self.rules, schema)
        return schema

    def execute(self, inputs: Mapping[str, Relation], context: StepContext) -> StepResult:
        (given,) = inputs.values()
        relation = context.checkpoint(given)
        check_rules(self.rules, relation.schema)
        outcome = validation(self.rules, relation, context.session, name=self.name or context.step_id)
        outcome.step_id = context.step_id
        if self.profile:
            outcome.profile = profile_of(relation, context.session)
        self._log(outcome, context)
        rest = self._settled(outcome, relation, context)
        return StepResult(
            rest, metrics=_metrics(outcome), validation=outcome, warnings=len(broken_rules(outcome.rules))
        )

    def _settled(self, outcome: Validation, relation: Relation, context: StepContext) -> Relation:
        """What goes on, after rows were set aside if they are to be; raises if nothing may."""
        pairs = zip(rules_on(self.rules), outcome.rules, strict=True)
        broken = [rule for rule, result in pairs if rule.is_grave and not result.success]
        if not broken or self.on_failure == "warn":
            return relation
        if self.on_failure == "fail" or not all(rule.by_row for rule in broken):
            raise failure(outcome)
        return _without(broken, outcome, relation, context)

    def _log(self, outcome: Validation, context: StepContext) -> None:
        """Warn of what is broken; what fails the step is told by the error."""
        for result in broken_rules(outcome.rules):
            if result.severity in ("info", "warning") or self.on_failure != "fail":
                context.log("WARNING", result.message)


def _without(broken: Sequence[Rule], outcome: Validation, relation: Relation, context: StepContext) -> Relation:
    row_rules = [rule for rule in broken if isinstance(rule, RowRule)]
    found = set_aside(row_rules, relation, context.session, name=context.step_id)
    outcome.quarantine = found.as_json(context.folder)
    context.log("WARNING", f"Set aside {found.rows:,} of {plural(outcome.row_count, 'row')} in {found.path.name}.")
    # In a file of its own: a run that resumes after this step must find these rows, not its input's.
    return context.checkpoint(found.rest)


def _metrics(outcome: Validation) -> dict[str, object]:
    metrics: dict[str, object] = {
        "score": outcome.score,
        "status": outcome.status,
        "rules_broken": len(broken_rules(outcome.rules)),
    }
    if outcome.quarantine is not None:
        metrics["rows_quarantined"] = outcome.quarantine["rows"]
    return metrics
