"""A warm pool of child processes for what must be stoppable: user's Python code, and training.

What a call leaves behind: the working directory, the environment variables, sys.stdout and sys.stderr are put back
after every call; processes that it started are ended. Imported modules, module-level state and threads stay until the
child is replaced: after ``CALLS`` calls, or when it holds more than ``RESIDENT_BYTES``. Whoever needs more runs its
code in a namespace of its own. A child that was cancelled, ran out of time or memory, or died is never used again.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from etlml.compute.child_process import TICK_S, Call, ChildProcess
from etlml.errors import StepCancelled, StepError

CALLS = 100
RESIDENT_BYTES = 768 * 2**20
WARM = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "sklearn.pipeline",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "skops.io",
    "duckdb",
    "etlml.ml.training",
)


class Children:
    """Runs functions in child processes, at most ``size`` at once; safe to use from several threads.

    Children start one ahead of need and import ``warm`` while they wait, so that a first training does not pay for it.
    They end by themselves when this process ends, however it ends.

    Args:
        size: How many calls may run side by side; further ones wait.
        folder: Where the children's relative paths start; this process's working directory if left out.
        warm: Modules to import in advance.
        after_s: How long to wait with the first child, unless a call needs it sooner.
    """

    def __init__(
        self, size: int = 1, folder: Path | None = None, *, warm: Sequence[str] = WARM, after_s: float = 0.0
    ) -> None:
        self.size = max(1, size)
        self._folder, self._warm = folder, tuple(warm)
        self._changed = threading.Condition()
        self._idle: list[ChildProcess] = []
        self._busy: list[ChildProcess] = []
        self._closed = False
        if after_s > 0:
            later = threading.Timer(after_s, self._warm_up)
            later.daemon = True
            later.start()
        else:
            self._warm_up()

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        target: str,
        kwargs: dict[str, Any],
        *,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        timeout_s: float | None = None,
        memory_bytes: int | None = None,
    ) -> Any:
        """Call ``function(**kwargs, report=...)`` in a child and give back what it returns.

        Args:
            target: ``"package.module:function"``, importable in the child.
            kwargs: Picklable and small; data goes through files whose paths are passed.
            on_message: Gets each dict that the function gives to ``report``, and ``{"log": level, "message": line}``
                for each line that it prints, in this thread, while the call runs. What it raises ends the call.
            cancelled: Asked about 20 times a second, while waiting for a child too.
            timeout_s: Counted from when a child takes the call, not while it waits for one.
            memory_bytes: Cap on the resident memory of the child with its own children, measured ten times a second.

        Raises:
            EtlmlError: The function raised it.
            PythonFailed: The function raised anything else; ``details['traceback']`` has its frames.
            StepCancelled, StepTimeout, MemoryExceeded: A limit was met; the child and its children are gone.
            StepError: The child died; the next call gets another one.
        """
        child = self._take(cancelled)
        try:
            return child.call(Call(target, kwargs, on_message, cancelled, timeout_s, memory_bytes))
        finally:
            self._give_back(child)

    def close(self) -> None:
        """End all children; calls that still run raise StepError."""
        with self._changed:
            self._closed = True
            children = [*self._idle, *self._busy]
            self._idle.clear()
            self._changed.notify_all()
        for child in children:
            child.kill()

    def _take(self, cancelled: Callable[[], bool]) -> ChildProcess:
        while True:
            with self._changed:
                if self._closed:
                    raise StepError(
                        "The child processes are stopped: the engine is going down. Run the step again when it is up."
                    )
                child = self._ready_child()
                if child is not None:
                    self._busy.append(child)
                    self._keep_one_ready()
                    return child
                self._changed.wait(timeout=TICK_S)
            if cancelled():
                raise StepCancelled

    def _ready_child(self) -> ChildProcess | None:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            child.kill()
        return self._started() if len(self._busy) < self.size else None

    def _give_back(self, child: ChildProcess) -> None:
        reusable = (
            child.is_reusable
            and child.calls < CALLS
            and child.resident_bytes() < RESIDENT_BYTES
            and not child.has_children()
        )
        if not reusable:
            child.kill()
        with self._changed:
            self._busy.remove(child)
            if reusable and not self._closed:
                self._idle.append(child)
            self._keep_one_ready()
            self._changed.notify()
        if reusable and self._closed:
            child.kill()

    def _warm_up(self) -> None:
        with self._changed:
            self._keep_one_ready()

    def _keep_one_ready(self) -> None:
        if not self._closed and not self._idle and len(self._busy) < self.size:
            self._idle.append(self._started())

    def _started(self) -> ChildProcess:
        try:
            return ChildProcess(self._folder, self._warm)
        except OSError as error:
            raise StepError(
                f"No child process can be started: {error}. Free memory or processes on this machine."
            ) from error
