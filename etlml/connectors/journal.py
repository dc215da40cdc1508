"""Which loads a file has taken in, so that a load that is tried again after a crash is never taken in twice.

A load stages its result in a hidden file beside the target, writes down in the journal that it is about to rename it,
renames it, and writes down that it did. A crash between the two notes leaves the question whether the rename took place;
the staged file answers it, since a rename is there whole or not at all.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from etlml.clock import utc_now
from etlml.compute.session import sync_file, sync_folder

MOST_LOADS = 500
Facts = list[int]


def staged_path(target: Path, load_id: str) -> Path:
    """Where a load prepares its result: beside the target, so that the rename is atomic."""
    return target.with_name(f".{target.name}.etlml-{hashlib.sha256(load_id.encode()).hexdigest()[:12]}.partial")


def remove_stale(target: Path) -> None:
    """Remove what killed loads into this target left; only while nobody else loads into it."""
    pattern = re.compile(re.escape(f".{target.name}.etlml-") + r"[0-9a-f]{12}\.partial")
    for path in [each for each in target.parent.iterdir() if pattern.fullmatch(each.name)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


class FileJournal:
    """The loads of one target file. Use it only while the target is locked.

    Opening it settles what a crash left open and removes staged files.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name}.etlml-loads.json")
        self._loads = list(_read(self.path))
        self._settle()
        remove_stale(target)

    def rows_of(self, load_id: str) -> int | None:
        """How many rows a load brought; None if the target has not taken it in, or was removed since."""
        if not self.target.exists():
            return None
        return next((int(load["rows"]) for load in self._loads if load["load_id"] == load_id), None)

    def publish(self, staged: Path, load_id: str, rows: int) -> None:
        """Make the staged file the target, at once and for good."""
        if self.target.exists():
            shutil.copymode(self.target, staged)
        sync_file(staged)
        load = {
            "load_id": load_id,
            "rows": rows,
            "at": utc_now().isoformat(),
            "pending": staged.name,
            "before": _facts(self.target),
            "after": _facts(staged),
        }
        others = [each for each in self._loads if each["load_id"] != load_id]
        self._loads = [*others[-MOST_LOADS + 1 :], load]
        self._write(durable=True)
        staged.replace(self.target)
        sync_folder(self.target.parent)
        load["pending"] = None
        self._write(durable=False)  # should this note be lost, the next load finds out by itself

    def _settle(self) -> None:
        pending = next((load for load in self._loads if load.get("pending")), None)
        if pending is None:
            return
        now = _facts(self.target)
        is_applied = now == pending["after"] or (
            not self.target.with_name(pending["pending"]).exists() and now is not None and now != pending["before"]
        )
        if is_applied:
            pending["pending"] = None
        else:
            self._loads.remove(pending)
        self._write(durable=True)

    def _write(self, *, durable: bool) -> None:
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(json.dumps({"loads": self._loads}), encoding="utf-8")
        if durable:
            sync_file(fresh)
        fresh.replace(self.path)
        if durable:
            sync_folder(self.path.parent)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    try:
        loads = json.loads(path.read_text(encoding="utf-8"))["loads"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    yield from (load for load in loads if isinstance(load, dict) and {"load_id", "rows"} <= load.keys())


def _facts(path: Path) -> Facts | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]
