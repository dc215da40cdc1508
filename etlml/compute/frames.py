"""Length-prefixed pickles over a pipe: how a child process and its parent talk."""

import pickle
import struct
import threading
from typing import IO, Any

from etlml.sizes import size

_HEAD = struct.Struct(">Q")
LONGEST_FRAME = 64 * 10**6  # data goes through files; whoever sends more than this has mistaken the pipe for one


def packed(kind: str, payload: Any) -> bytes:
    """One message as bytes; whatever pickle raises, or ValueError if it is too long for the pipe."""
    body = pickle.dumps((kind, payload), protocol=5)
    if len(body) > LONGEST_FRAME:
        raise ValueError(
            f"it takes {size(len(body))}, more than the {size(LONGEST_FRAME)} that fit; write a file and pass its path"
        )
    return _HEAD.pack(len(body)) + body


class FrameWriter:
    """Sends whole messages; safe to use from several threads."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, kind: str, payload: Any = None) -> None:
        """Send one message; OSError when nobody listens any more."""
        data = packed(kind, payload)
        with self._lock:
            self._stream.write(data)
            self._stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The bytes of the next message, or None at the end of the stream (a message cut short is none)."""
    head = _exactly(stream, _HEAD.size)
    return None if head is None else _exactly(stream, _HEAD.unpack(head)[0])


def unpacked(body: bytes) -> tuple[str, Any]:
    """The kind and the payload of a message."""
    kind, payload = pickle.loads(body)  # only from the process at the other end, which is ours
    return kind, payload


def _exactly(stream: IO[bytes], size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = stream.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
