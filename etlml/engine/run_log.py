"""What runs log: lines that say to which run and step they belong."""

import logging

from etlml.documents import Run

LOG = logging.getLogger("etlml.run")


def about(run: Run, step_id: str | None = None) -> dict[str, str | None]:
    """The ``extra`` of a line: what it is about."""
    return {"run_id": run.id, "pipeline_id": run.pipeline_id, "step_id": step_id}


def log_step(run: Run, step_id: str | None, level: str, message: str) -> None:
    """Log what a step says, or its run where there is no step."""
    LOG.log(logging.getLevelNamesMapping()[level], "%s", message, extra=about(run, step_id))
