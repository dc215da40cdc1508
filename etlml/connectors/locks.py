"""One load at a time into one place, across threads and processes."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from etlml.connectors.stopping import TICK_S, refuse_cancelled
from etlml.errors import EtlmlError, LoadFailed

WAIT_S = 600.0
_MENDS = {
    errno.ENOSPC: "Free some space on that disk, or choose a path on another one.",
    errno.EDQUOT: "Free some of your quota, or choose a path elsewhere.",
    errno.EFBIG: "Choose a path on a disk that takes larger files.",
    errno.EACCES: "Give the user who runs etlml the right to write there, or choose another path.",
    errno.EPERM: "Give the user who runs etlml the right to write there, or choose another path.",
    errno.EROFS: "That disk is read-only; choose another path.",
    errno.ENOTDIR: "A part of the path is a file, not a folder; correct it.",
    errno.EISDIR: "The path is a folder; add a file name, or set partition_by.",
    errno.ENAMETOOLONG: "Shorten the name.",
}
_FULL = ("no space left", "disk is full", "disk full", "out of space", "file too large")


@contextmanager
def alone(target: Path, cancelled: Callable[[], bool], *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Make the target's folder and keep every other load off the target; a hidden lock file stays beside it.

    Raises:
        LoadFailed: Another load is still at it after ``wait_s``.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f".{target.name}.etlml-lock"))
    give_up = time.monotonic() + wait_s
    while not lock.is_locked:
        try:
            lock.acquire(timeout=TICK_S)
        except Timeout:
            refuse_cancelled(cancelled)
            if time.monotonic() >= give_up:
                raise LoadFailed(
                    f"Another load into {target} has been going on for more than {wait_s:g} s. "
                    "Wait for it or cancel it, then run again.",
                    path=str(target),
                ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def failures(place: str) -> Iterator[None]:
    """Turn what goes wrong while writing into LoadFailed, with the mend."""
    try:
        yield
    except (EtlmlError, duckdb.InterruptException):
        raise
    except OSError as error:
        mend = _MENDS.get(error.errno or 0, "Correct the path, or choose another one.")
        raise LoadFailed(
            f"The rows cannot be written to {place}: {error.strerror or error}. Nothing was changed. {mend}"
        ) from error
    except duckdb.Error as error:
        raise LoadFailed(
            f"The rows cannot be written to {place}: {_short(error)} Nothing was changed. {_mend(error)}".strip()
        ) from error


def _short(error: duckdb.Error) -> str:
    text = str(error).split(" Error: ", 1)[-1].split("\n\nLINE")[0].strip()
    text = text if len(text) <= 400 else text[:400] + " ..."
    return text if text.endswith((".", "!")) else text + "."


def _mend(error: duckdb.Error) -> str:
    text = str(error).lower()
    if any(sign in text for sign in _FULL):
        return _MENDS[errno.ENOSPC]
    if "permission denied" in text or "readonly" in text or "read-only" in text:
        return _MENDS[errno.EACCES]
    if isinstance(error, duckdb.ConstraintException) or "constraint failed" in text:
        return "The table forbids such rows: correct them before the load, or use mode merge with the table's keys."
    if isinstance(error, duckdb.OutOfMemoryException):
        return "Give runs more memory in Settings, Engine (or ETLML_RUN_MEMORY)."
    return ""
