"""Files that nobody needs for long: in one folder of this process, which goes with it.

A process that is killed can't clear up after itself. Its folder is locked while it lives, so the next process to need a
folder finds those whose lock is free, and removes them.
"""

import atexit
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from etlml.clock import new_id

_PREFIX = "etlml-scratch-"


@contextlib.contextmanager
def scratch(purpose: str) -> Iterator[Path]:
    """A folder for the length of a ``with`` block."""
    folder = scratch_folder(purpose)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch_folder(purpose: str) -> Path:
    """A new folder that whoever asks for it removes, or else this process at its end."""
    root = scratch_root()
    root.mkdir(exist_ok=True)  # some systems clear the temporary folder of long-lived processes
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=root))


@cache
def scratch_root() -> Path:
    """This process's folder; the first call makes it and removes those of processes that were killed."""
    parent = Path(tempfile.gettempdir()).resolve()
    remove_abandoned(parent)
    root = parent / f"{_PREFIX}{new_id()}"
    lock = FileLock(_lock_of(root), blocking=False, thread_local=False)
    lock.acquire()
    root.mkdir(mode=0o700)
    atexit.register(_remove, root, lock)
    return root


def remove_abandoned(parent: Path) -> None:
    """Remove the folders below ``parent`` whose process is gone; those of other people stay."""
    for path in parent.glob(f"{_PREFIX}*.lock"):
        lock = FileLock(path, blocking=False)
        with contextlib.suppress(Timeout, OSError):
            lock.acquire()
            _remove(path.with_suffix(""), lock)


def _remove(root: Path, lock: FileLock) -> None:
    shutil.rmtree(root, ignore_errors=True)
    lock.release()
    with contextlib.suppress(OSError):
        _lock_of(root).unlink(missing_ok=True)


def _lock_of(root: Path) -> Path:
    return root.with_name(f"{root.name}.lock")
