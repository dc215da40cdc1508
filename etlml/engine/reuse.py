"""Which steps of a run must be done, and which have a result already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from etlml.steps.check import CheckedStep
from etlml.steps.graph import consumers

Fate = Literal["run", "have", "unneeded"]


@dataclass(frozen=True)
class Have:
    """What is there before the run begins.

    Attributes:
        done: Steps that need not do their work again: finished before a crash, taken over by a retry, or cached.
        files: Steps whose rows can be read from a checkpoint.
    """

    done: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


def passes_input_on(checked: CheckedStep) -> bool:
    """Whether the step's result is its input, unchanged (loads, trainings, validations without quarantine)."""
    kind = checked.step.type
    return kind in ("load", "train") or (
        kind == "validate" and getattr(checked.config, "on_failure", "") != "quarantine"
    )


def fates(steps: Sequence[CheckedStep], have: Have) -> dict[str, Fate]:
    """What becomes of each step.

    ``run``: it is executed; one that is done, but whose rows are wanted and were not kept, only derives its rows again.
    ``have``: its rows are read from the checkpoint.
    ``unneeded``: nobody asks for its rows, since all that follows from them is there.

    Args:
        steps: In execution order.
        have: What is there.
    """
    takers = consumers({checked.step.id: checked.needs for checked in steps})
    found: dict[str, Fate] = {}
    for checked in reversed(steps):
        step = checked.step.id
        wanted = any(found[taker] == "run" for taker in takers[step])
        if step in have.files:
            found[step] = "have"
        elif step in have.done:
            found[step] = "run" if wanted else "unneeded"
        elif wanted or not takers[step] or passes_input_on(checked) or checked.step.type == "validate":
            found[step] = "run"
        else:
            found[step] = "unneeded"
    return found
