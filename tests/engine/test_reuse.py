"""Which steps of a run are executed, given what is there."""

from collections.abc import Mapping, Sequence

from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.documents import Step
from etlml.engine.reuse import Have, fates
from etlml.steps.base import StepConfig, StepContext, StepResult
from etlml.steps.check import CheckedStep


class Anything(StepConfig):
    """A configuration that is never executed here."""

    on_failure: str = "fail"

    def check(self, inputs: Mapping[str, Schema | None]) -> Schema | None:
        return None

    def execute(self, inputs: Mapping[str, Relation], context: StepContext) -> StepResult:
        raise AssertionError("not executed here")


def checked(id: str, type: str, *needs: str, on_failure: str = "fail") -> CheckedStep:
    step = Step.model_validate({"id": id, "type": type, "needs": list(needs)})
    return CheckedStep(step, Anything(on_failure=on_failure), needs, (), None)


CHAIN: Sequence[CheckedStep] = [
    checked("read", "extract"),
    checked("clean", "transform", "read"),
    checked("check", "validate", "clean"),
    checked("save", "load", "check"),
]


def have(done: str = "", files: str = "") -> Have:
    return Have(frozenset(done.split()), frozenset(files.split()))


def test_without_results_everything_runs() -> None:
    assert set(fates(CHAIN, have()).values()) == {"run"}


def test_a_checkpoint_makes_what_lies_before_it_unneeded() -> None:
    assert fates(CHAIN, have("clean", "clean")) == {"read": "unneeded", "clean": "have", "check": "run", "save": "run"}


def test_a_load_that_is_done_is_not_done_again_and_needs_nothing() -> None:
    found = fates(CHAIN, have("read clean check save", "clean"))
    assert (found["save"], found["check"]) == ("unneeded", "unneeded")


def test_rows_that_were_not_kept_are_derived_again_for_the_step_that_wants_them() -> None:
    found = fates(CHAIN, have("read clean check"))
    assert found == {"read": "run", "clean": "run", "check": "run", "save": "run"}


def test_only_the_branch_that_is_left_runs() -> None:
    branches = [*CHAIN, checked("other", "transform", "read"), checked("keep", "load", "other")]
    found = fates(branches, have("read clean check save", "read clean"))
    assert found == {
        "read": "have",
        "clean": "have",
        "check": "unneeded",
        "save": "unneeded",
        "other": "run",
        "keep": "run",
    }


def test_a_quarantining_validation_runs_although_nobody_takes_its_rows() -> None:
    steps = [checked("read", "extract"), checked("check", "validate", "read", on_failure="quarantine")]
    assert fates(steps, have("read", "read"))["check"] == "run"
