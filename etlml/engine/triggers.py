"""Runs that something else than the clock starts: a file that arrives, another pipeline's success.

Each cause has one run, whose id follows from the cause: however many workers see it, and however often, it starts once.
"""

import glob
import logging
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etlml.clock import Clock
from etlml.documents import Pipeline, Run, Trigger
from etlml.engine.leftovers import arrivals_key
from etlml.engine.new_runs import new_run, run_id_for
from etlml.errors import EtlmlError, NameTaken

if TYPE_CHECKING:
    from etlml.store.client import Store

SETTLED_S = 2.0
"""A file counts as arrived when nobody has written to it for so long."""
LOOK_BACK = timedelta(hours=24)
"""A success that is older than this starts no run any more."""
LOG = logging.getLogger(__name__)


class Triggers:
    """Looks for causes and queues their runs."""

    def __init__(self, store: "Store", data_dir: Path, now: Clock) -> None:
        self._store, self._data_dir, self._now = store, data_dir, now

    def tick(self) -> list[Run]:
        """Queue a run for every cause that has none; the runs that were queued."""
        queued: list[Run] = []
        for kind, look in (("file", self._arrived), ("pipeline", self._succeeded)):
            for pipeline in self._store.pipelines.triggered_by(kind):
                for trigger in pipeline.triggers:
                    if trigger.kind != kind or pipeline.options.paused:
                        continue
                    try:
                        queued += look(pipeline, trigger)
                    except (EtlmlError, OSError) as error:
                        LOG.error("Trigger of %s: %s", pipeline.name, error, extra={"pipeline_id": pipeline.id})
        return queued

    def _arrived(self, pipeline: Pipeline, trigger: Trigger) -> list[Run]:
        """A run for the files that are new or changed since the last look; the first look only takes note."""
        if trigger.path is None:
            return []
        key = arrivals_key(pipeline.id, trigger.path)
        seen: dict[str, Any] | None = self._store.settings.get(key)
        there = self._settled(trigger.path, seen or {})
        if seen is None:
            self._store.settings.set_once(key, there)
            return []
        new = sorted(name for name, state in there.items() if seen.get(name) != state)
        if there == seen:
            return []
        queued = []
        if new:
            causes = [f"{name}|{there[name]}" for name in new]
            names = ", ".join(Path(name).name for name in new[:3]) + (
                f" and {len(new) - 3} more" if len(new) > 3 else ""
            )
            queued = self._queue(pipeline, "file", f"Arrival of {names}.", "file", trigger.path, *causes)
        self._store.settings.set(key, there)
        return queued

    def _settled(self, pattern: str, seen: dict[str, Any]) -> dict[str, str]:
        """The files that match, with what tells a change; one that is still being written stays as it was seen."""
        found: dict[str, str] = {}
        moment = self._now().timestamp()
        for name in glob.iglob(str(self._data_dir / Path(pattern).expanduser()), recursive=True):  # noqa: PTH207
            path = Path(name)
            if not path.is_file():
                continue
            state = path.stat()
            if moment - state.st_mtime >= SETTLED_S:
                found[name] = f"{state.st_size}|{state.st_mtime_ns}"
            elif name in seen:
                found[name] = seen[name]
        return found

    def _succeeded(self, pipeline: Pipeline, trigger: Trigger) -> list[Run]:
        """A run for the newest success of the pipeline that this one waits for."""
        if trigger.pipeline is None:
            return []
        upstream = self._store.pipelines.find(trigger.pipeline)
        done = self._store.runs.list(pipeline_id=upstream.id, status="success", limit=20, with_steps=False).items
        last = next((run for run in done if run.until is None), None)  # a run of a part is no success of the whole
        if last is None or last.finished_at is None:
            return []
        since = max(pipeline.updated_at, self._now() - LOOK_BACK)
        if last.finished_at < since:
            return []
        return self._queue(pipeline, "pipeline", f"Success of {upstream.name} (run {last.id}).", "pipeline", last.id)

    def _queue(self, pipeline: Pipeline, kind: Any, reason: str, *cause: str) -> list[Run]:
        run_id = run_id_for(pipeline.id, *cause)
        if run_id in self._store.runs.get_many([run_id]):
            return []
        run = new_run(pipeline, trigger=kind, now=self._now(), reason=reason, run_id=run_id)
        try:
            return [self._store.runs.add(run)]
        except NameTaken:
            return []  # another worker was faster
