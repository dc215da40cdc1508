"""How much a worker takes on: runs at once, and the memory of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from etlml.documents import Document
from etlml.settings import LEAST_RUN_MEMORY, MOST_SLOTS, Settings
from etlml.sizes import parse_bytes


@dataclass(frozen=True)
class Limits:
    """What is in force in one worker.

    Attributes:
        run_memory: Bytes.
        fixed: The names of those that the worker's environment or .env sets.
    """

    slots: int
    run_memory: int
    fixed: Sequence[str] = ()


def calls_at_once(slots: int) -> int:
    """How many calls of Python code and trainings may go on side by side in a worker with so many slots."""
    return max(1, min(slots, 4))


class WorkerLimits(Document):
    """What people set for all workers; the fields are preferences of the same name. None is the default of each machine."""

    model_config = ConfigDict(extra="ignore")

    worker_slots: int | None = Field(
        None,
        ge=1,
        le=MOST_SLOTS,
        description="Runs that a worker executes at once, unless ETLML_WORKER_SLOTS is set where it runs.",
    )
    run_memory: Annotated[int | None, BeforeValidator(parse_bytes)] = Field(
        None,
        ge=LEAST_RUN_MEMORY,
        description="Memory cap of one run, in bytes or like 2GB, unless ETLML_RUN_MEMORY is set where it runs.",
    )

    def in_force(self, environment: Settings) -> Limits:
        """What holds for a worker with these settings: its environment, else what people set, else its default."""
        fixed = [name for name in WorkerLimits.model_fields if environment.is_given(name)]

        def chosen(name: str) -> int:
            wanted = None if name in fixed else getattr(self, name)
            return int(getattr(environment, name) if wanted is None else wanted)

        return Limits(chosen("worker_slots"), chosen("run_memory"), fixed)
