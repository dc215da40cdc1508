"""What a child process does: it takes calls from its standard input and answers on its standard output.

Started as ``python -m etlml.compute.child_main``, never by multiprocessing: the parent's main script is then not
imported again, whatever it is (streamlit, uvicorn, ``python -c``, a script without a guard).
"""

import contextlib
import ctypes
import faulthandler
import gc
import importlib
import io
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import IO, Any

import psutil

from etlml.compute.frames import FrameWriter, read_frame, unpacked
from etlml.errors import EtlmlError, MemoryExceeded, PythonFailed
from etlml.settings import kept_environment
from etlml.sizes import size

MOST_LINES = 5_000  # of one call; a loop that prints must not fill the log store
LONGEST_LINE = 2_000
_LONGEST_MESSAGE = 600
_LONGEST_TRACEBACK = 20_000


class _Lines(io.RawIOBase):
    """A stream for user code's prints that sends each whole line to the parent."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._rest = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        *lines, self._rest = (self._rest + bytes(data)).split(b"\n")
        for line in lines:
            self._send(line.decode("utf-8", "replace"))
        return len(data)

    def finish(self) -> None:
        """Send what stands after the last line end."""
        rest, self._rest = self._rest, b""
        if rest:
            self._send(rest.decode("utf-8", "replace"))


class _Output:
    """Python's standard output and error as log messages; what native code prints goes to file descriptor 2."""

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer
        self._count = 0
        self._open: list[tuple[io.TextIOWrapper, _Lines]] = []

    def install(self) -> None:
        """Take over sys.stdout and sys.stderr (again: user code may have replaced them)."""
        self._count = 0
        self._open = [self._stream("INFO"), self._stream("WARNING")]
        sys.stdout, sys.stderr = (stream for stream, _ in self._open)

    def _stream(self, level: str) -> tuple[io.TextIOWrapper, _Lines]:
        lines = _Lines(self._sender(level))
        buffer = io.BufferedWriter(lines)
        return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True), lines

    def finish(self) -> None:
        """Send what is still buffered, and how much was left out."""
        for stream, lines in self._open:
            with contextlib.suppress(ValueError):  # the code closed it
                stream.flush()
            lines.finish()
        if self._count > MOST_LINES:
            self._writer.send(
                "message",
                {"log": "WARNING", "message": f"{self._count - MOST_LINES} further lines of output were left out."},
            )

    def _sender(self, level: str) -> Callable[[str], None]:
        def send(line: str) -> None:
            self._count += 1
            if line.strip() and self._count <= MOST_LINES:
                self._writer.send("message", {"log": level, "message": line.rstrip("\r")[:LONGEST_LINE]})

        return send


def _take_over_pipes() -> tuple[IO[bytes], FrameWriter]:
    """Move the protocol to private descriptors: 0 reads nothing, 1 and 2 are for whatever native code prints."""
    incoming, outgoing = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _leave_protocol(incoming, outgoing))
    return os.fdopen(incoming, "rb"), FrameWriter(os.fdopen(outgoing, "wb"))


def _adopt_orphans() -> None:
    """On Linux, become the parent of grandchildren whose own parent ends, so that they can be found and ended."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def _leave_protocol(*descriptors: int) -> None:
    """In a fork that user code made: it must neither write into the protocol nor keep its pipes open."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))


def _read_calls(incoming: IO[bytes], inbox: "SimpleQueue[dict[str, Any]]") -> None:
    """Feed calls to the main thread until the parent is gone; then end this process and all that it started."""
    try:
        while (frame := read_frame(incoming)) is not None:
            inbox.put(unpacked(frame)[1])
    finally:
        for process in reversed(psutil.Process().children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                process.kill()
        os._exit(0)


def _function(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


@contextlib.contextmanager
def _kept_state() -> Iterator[None]:
    """Put the working directory and the environment back after a call."""
    folder = os.getcwd()  # noqa: PTH109 - a Path would be made for every call
    with kept_environment():
        try:
            yield
        finally:
            os.chdir(folder)


def _failure(error: BaseException) -> EtlmlError:
    """What the parent raises for an exception of the called function."""
    if isinstance(error, EtlmlError):
        return error
    if isinstance(error, MemoryError):
        peak = psutil.Process().memory_info().rss
        return MemoryExceeded(
            f"The code asked for more memory than there is, at {size(peak)} in use. {str(error)[:200]}".strip()
        )
    kind = type(error).__name__
    text = f"{kind}: {error}" if str(error) else kind
    if isinstance(error, SystemExit):
        text = f"the code ended the process with exit({error.code!r}); return a result or raise an error"
    own = error.__traceback__
    while own is not None and own.tb_frame.f_code.co_filename == __file__:
        own = own.tb_next
    frames = "".join(traceback.format_exception(type(error), error, own))
    return PythonFailed(
        f"The code raised {text}"[:_LONGEST_MESSAGE], exception=kind, traceback=frames[-_LONGEST_TRACEBACK:]
    )


def _answer(call: dict[str, Any], writer: FrameWriter, output: _Output) -> None:
    """Run one call and send its result or its error as the last message."""
    output.install()
    try:
        with _kept_state():
            result = _function(call["target"])(**call["kwargs"], report=lambda message: writer.send("message", message))
        kind, payload = "result", result
    except BaseException as error:  # noqa: BLE001 - whatever the code raises is shown to its author
        kind, payload = "error", _failure(error)
    output.finish()
    os.write(2, f"\n{call['end']}\n".encode())  # behind the last native output, so that none leaks into the next call
    try:
        writer.send(kind, payload)
    except OSError:
        os._exit(0)
    except Exception as error:  # noqa: BLE001 - pickle raises whatever the result's classes raise
        writer.send(
            "error", PythonFailed(f"The result of {call['target']} cannot be sent back: {error}"[:_LONGEST_MESSAGE])
        )


def _serve(inbox: "SimpleQueue[dict[str, Any]]", writer: FrameWriter, warm: list[str]) -> None:
    """Answer calls for ever; between them, while there is nothing to do, import what later calls will need."""
    output = _Output(writer)
    output.install()
    writer.send("ready")
    while True:
        while warm and inbox.empty():
            with contextlib.suppress(Exception):  # a call that needs it will say what is wrong
                importlib.import_module(warm.pop(0))
            if not warm:
                gc.collect()
                gc.freeze()
                writer.send("warm")
        _answer(inbox.get(), writer, output)
        gc.collect()


def main() -> None:
    """Serve until the parent closes the pipe; ``sys.argv[1:]`` names modules to import in advance."""
    incoming, writer = _take_over_pipes()
    faulthandler.enable(file=2)
    _adopt_orphans()
    inbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_read_calls, args=(incoming, inbox), name="calls", daemon=True).start()
    with contextlib.suppress(OSError):  # the parent is gone: the reader ends this process
        _serve(inbox, writer, sys.argv[1:])


if __name__ == "__main__":
    main()
