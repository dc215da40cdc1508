"""The parent's side of a python op: the user's code runs in a child process, on a checkpoint, into another one."""

from pathlib import Path
from typing import Any

from etlml.compute.relation import Relation
from etlml.compute.session import sync_folder
from etlml.steps.base import StepContext

TARGET = "etlml.steps.python_child:transform_parquet"


def run_python(code: str, relation: Relation, path: Path, context: StepContext, *, name: str) -> Relation:
    """The user's transform(df) applied to a materialised relation; the result is the view ``name`` on ``path``.

    Raises:
        PythonFailed: The code raised, or gave back no DataFrame.
        MemoryExceeded, StepTimeout, StepCancelled: A limit was met; the child is gone.
    """
    context.children.run(
        TARGET,
        {"code": code, "source": str(relation.path), "target": str(path)},
        on_message=lambda message: _to_log(message, context),
        cancelled=context.cancelled,
        memory_bytes=context.memory_bytes,
    )
    sync_folder(path.parent)
    return context.session.attach(name, path)


def _to_log(message: dict[str, Any], context: StepContext) -> None:
    if "log" in message:
        context.log(str(message["log"]), str(message.get("message", "")))
