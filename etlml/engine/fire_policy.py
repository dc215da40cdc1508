"""What happens around the fires of schedules that do not say so themselves."""

from dataclasses import dataclass

from pydantic import ConfigDict, Field

from etlml.documents import Document, Missed, Overlap, ScheduleOptions


@dataclass(frozen=True)
class Policy:
    """What is in force for one schedule."""

    missed: Missed = "latest"
    missed_limit: int = 10
    overlap: Overlap = "queue"
    too_late_after_s: float | None = None


class FirePolicy(Document):
    """The installation's own policies; the fields are preferences of the same name.

    A schedule that leaves an option out follows these at each of its fires, not as they were when it was saved. So a file
    in git that says nothing goes on to say nothing and applies twice without a change, and a new default holds at once
    for all that follow it, like every other setting. What a pipeline says itself is never overruled; neither is what was
    written into it when options had no blanks.
    """

    model_config = ConfigDict(extra="ignore")

    schedule_missed: Missed = Field(
        "latest", description="Which missed fires are made up, where a schedule does not say: latest, all or none."
    )
    schedule_missed_limit: int = Field(
        10, ge=1, le=1000, description="At most so many with 'all', where a schedule does not say."
    )
    schedule_overlap: Overlap = Field(
        "queue",
        description="What a fire does while a run is going on, where a schedule does not say: queue, skip or cancel.",
    )

    def policy(self, options: ScheduleOptions) -> Policy:
        """What is in force for a schedule with these options."""
        return Policy(
            missed=options.missed or self.schedule_missed,
            missed_limit=options.missed_limit or self.schedule_missed_limit,
            overlap=options.overlap or self.schedule_overlap,
            too_late_after_s=options.too_late_after_s,
        )
