"""Copies of what previews read from sources that are slow to read, kept a while and bounded."""

import os
import shutil
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from etlml.clock import new_id
from etlml.compute.scratch import scratch_folder

MOST_FILES = 32
MOST_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Copy:
    """A source's rows in a Parquet file; ``is_cut`` says that the source has more."""

    path: Path
    is_cut: bool


class SourceCopies:
    """Parquet files by content, in a temporary folder that goes with this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Copy] = OrderedDict()
        self._folder: Path | None = None

    def take(self, key: str, to: Path) -> Copy | None:
        """The copy of that key under a name of the caller's own, which nobody else removes; None if there is none."""
        with self._lock:
            if (copy := self._kept.get(key)) is None:
                return None
            self._kept.move_to_end(key)
            _link(copy.path, to)
        return Copy(to, copy.is_cut)

    def keep(self, key: str, path: Path, *, is_cut: bool) -> None:
        """Remember a file's content under a key; the oldest copies make room."""
        if path.stat().st_size > MOST_BYTES // 4:
            return
        with self._lock:
            if self._folder is None:
                self._folder = scratch_folder("sources")
            own = self._folder / f"{new_id()}.parquet"
            _link(path, own)
            self._kept[key] = Copy(own, is_cut)
            while len(self._kept) > MOST_FILES or self._bytes() > MOST_BYTES:
                _, oldest = self._kept.popitem(last=False)
                oldest.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove all copies."""
        with self._lock:
            self._kept.clear()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _bytes(self) -> int:
        return sum(copy.path.stat().st_size for copy in self._kept.values() if copy.path.exists())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
