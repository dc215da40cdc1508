"""One child process as its parent sees it: started, called, watched, and ended together with all that it started."""

import contextlib
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, cast

import psutil

from etlml.compute.frames import FrameWriter, read_frame, unpacked
from etlml.compute.memory import MemoryWatch, oom_kills
from etlml.errors import EtlmlError, MemoryExceeded, PythonFailed, StepCancelled, StepError, StepTimeout
from etlml.redaction import redacted, redacted_document
from etlml.settings import user_code_environment
from etlml.sizes import size

TICK_S = 0.05
LONGEST_DRAIN_S = 0.25  # how long a finished call waits for the last lines of native output
FAMILY_MARK = "ETLML_CHILD"  # an environment variable by which a child's own children are found


@dataclass(frozen=True)
class Call:
    """One call and its limits; see etlml.compute.children.Children.run."""

    target: str
    kwargs: dict[str, Any]
    on_message: Callable[[dict[str, Any]], None] | None = None
    cancelled: Callable[[], bool] = lambda: False
    timeout_s: float | None = None
    memory_bytes: int | None = None
    end: str = field(default_factory=lambda: f"etlml-end-{time.monotonic_ns():x}")


class ChildProcess:
    """A running ``python -m etlml.compute.child_main``. One call at a time; ``kill`` may come from any thread."""

    def __init__(self, folder: Path | None, warm: Sequence[str]) -> None:
        self.calls = 0
        self.is_reusable = True
        self._mark = secrets.token_hex(8)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "etlml.compute.child_main", *warm],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=user_code_environment([path or os.curdir for path in sys.path]) | {FAMILY_MARK: self._mark},
            start_new_session=os.name == "posix",  # Ctrl-C in the terminal is the parent's to handle
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            | getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._writer = FrameWriter(cast(IO[bytes], self._process.stdin))
        self._events: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._tail: deque[str] = deque(maxlen=40)
        self._family: list[psutil.Process] = []
        self._ending = threading.Lock()
        self._readers = [
            threading.Thread(target=self._read_frames, args=(self._process.stdout,), name="child-frames", daemon=True),
            threading.Thread(target=self._read_native, args=(self._process.stderr,), name="child-output", daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def resident_bytes(self) -> int:
        """Memory in use now, without its own children; 0 when it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def has_children(self) -> bool:
        """Whether the last call left processes behind."""
        try:
            return bool(psutil.Process(self.pid).children())
        except psutil.Error:
            return False

    def call(self, call: Call) -> Any:
        """Run one call to its end and give its result; ``is_reusable`` then says whether another may follow."""
        self.calls += 1
        self.is_reusable = False
        watch, oom_before = MemoryWatch(self.pid, call.memory_bytes), oom_kills()
        deadline = None if call.timeout_s is None else time.monotonic() + call.timeout_s
        self._drop_leftovers()
        self._send(call)
        answer: tuple[str, Any] | None = None
        printed_all = False
        while answer is None:
            kind, payload = self._next_event(call)
            if kind in ("result", "error"):
                answer = kind, payload
            elif kind == "message":
                self._pass_on(payload, call)
            elif kind == "end":
                printed_all = True
            elif kind == "gone":
                raise self._death(call, watch, oom_before)
            self._check_limits(call, watch, deadline)
            self._family = watch.family
        self.is_reusable = printed_all or self._drained(call)
        if answer[0] == "error":
            raise _shown(answer[1], watch)
        return answer[1]

    def kill(self) -> None:
        """End the process and everything that it started, now, and wait until it is gone."""
        self.is_reusable = False
        with self._ending:
            family = self._descendants()
            self._process.kill()
            family += [*self._family, *_marked(self._mark)]
            for process in family:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self._process.wait()
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # type: ignore[union-attr]
            psutil.wait_procs(family, timeout=LONGEST_DRAIN_S)
        for reader in self._readers:
            reader.join(timeout=1)

    def _descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            return []

    def _send(self, call: Call) -> None:
        try:
            self._writer.send("call", {"target": call.target, "kwargs": call.kwargs, "end": call.end})
        except OSError:
            self._events.put(("gone", None))
        except Exception as error:
            raise PythonFailed(f"The arguments of {call.target} cannot be sent to a child process: {error}") from error

    def _next_event(self, call: Call) -> tuple[str, Any]:
        """What happened next: a message, the result, an error, the end of the process, or nothing within a tick."""
        try:
            kind, payload = self._events.get(timeout=TICK_S)
        except Empty:
            return "tick", None
        if kind == "native":
            return ("end" if payload == call.end else "message"), {"log": "INFO", "message": payload[:2000]}
        if kind != "frame":
            return kind, payload
        try:
            return unpacked(payload)
        except Exception as error:  # noqa: BLE001 - unpickling raises whatever the classes raise
            return "error", PythonFailed(f"The result of {call.target} cannot be brought back: {error}"[:600])

    def _pass_on(self, message: dict[str, Any], call: Call) -> None:
        if call.on_message is not None:
            call.on_message(message)

    def _drained(self, call: Call) -> bool:
        """Pass on the native output that came before the end of the call, so that none leaks into the next one."""
        drain_until = time.monotonic() + LONGEST_DRAIN_S
        while time.monotonic() < drain_until:
            kind, payload = self._next_event(call)
            if kind == "message":
                self._pass_on(payload, call)
            elif kind in ("end", "gone"):
                return kind == "end"
        return False

    def _check_limits(self, call: Call, watch: MemoryWatch, deadline: float | None) -> None:
        if call.cancelled():
            raise StepCancelled
        if deadline is not None and time.monotonic() > deadline:
            raise StepTimeout(
                f"Stopped after its time limit of {call.timeout_s:g} s. "
                "Give the step more with timeout_s, or give it less to do.",
                timeout_s=call.timeout_s,
            )
        if (used := watch.excess()) is not None:
            raise _over_cap(used, watch.cap or 0)

    def _death(self, call: Call, watch: MemoryWatch, oom_before: int) -> StepError:
        """What to say of a child that ended in the middle of a call."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # it may live on and have closed its pipe
            self._process.wait(timeout=1)
        self._process.kill()
        code = self._process.wait()
        if oom_kills() > oom_before or watch.was_near_cap():
            return _over_cap(watch.peak, watch.cap or 0, by="the operating system")
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self._readers[1].join(timeout=LONGEST_DRAIN_S)
        tail = "\n".join(self._tail)
        return StepError(
            f"The child process that ran {call.target} {how} before it gave a result. "
            "Nothing of its work was kept; run the step again.",
            exit_code=code,
            output=redacted(tail),
        )

    def _drop_leftovers(self) -> None:
        """Forget what arrived after the last call's end, such as output of threads that it left behind."""
        with contextlib.suppress(Empty):
            while (event := self._events.get_nowait())[0] != "gone":
                pass
            self._events.put(event)

    def _read_frames(self, stream: IO[bytes]) -> None:
        with stream, contextlib.suppress(OSError, ValueError):
            while (body := read_frame(stream)) is not None:
                self._events.put(("frame", body))
        self._events.put(("gone", None))
        self._process.wait()  # so that one that dies while idle does not stay as a zombie

    def _read_native(self, stream: IO[bytes]) -> None:
        with stream, contextlib.suppress(OSError, ValueError):
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip()
                if line and not line.startswith("etlml-end-"):
                    self._tail.append(line)
                if line:
                    self._events.put(("native", line))


def _marked(mark: str) -> list[psutil.Process]:
    """The processes that a child started, whoever their parents are by now: they inherited the mark."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(FAMILY_MARK) == mark:
                found.append(process)
    return found


def _over_cap(used: int, cap: int, *, by: str = "us") -> MemoryExceeded:
    limit = f"of {size(cap)}" if cap else "of this machine"
    stopped = "" if by == "us" else f" It was stopped by {by}."
    return MemoryExceeded(
        f"The child process used {size(used)} of memory, more than its cap {limit}.{stopped} "
        "Give runs more in Settings, Engine (or ETLML_RUN_MEMORY), or reduce the rows or columns first.",
        peak_bytes=used,
        cap_bytes=cap or None,
    )


def _shown(error: EtlmlError, watch: MemoryWatch) -> EtlmlError:
    """The child's error without secrets: the child does not know which values are secret."""
    error.message = redacted(error.message)
    error.args = (error.message,)
    error.details = redacted_document(error.details)
    if isinstance(error, MemoryExceeded):
        error.details |= {"peak_bytes": watch.peak, "cap_bytes": watch.cap}
    return error
