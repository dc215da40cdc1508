"""What a step is given, without what the steps under test do not use."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from etlml.compute.children import Children
from etlml.compute.relation import Relation
from etlml.compute.session import Session
from etlml.steps.base import StepContext, Tracker


def a_context(
    step_id: str, session: Session, data_dir: Path, checkpoint: Callable[[Relation], Relation]
) -> StepContext:
    return StepContext(
        step_id=step_id,
        load_id=f"run/{step_id}",
        folder=session.folder,
        data_dir=data_dir,
        session=session,
        children=cast(Children, None),
        tracker=cast(Tracker, None),
        log=lambda *_: None,
        cancelled=lambda: False,
        memory_bytes=1 << 28,
        checkpoint=checkpoint,
    )
