"""Results that are there already: of this run before a crash, of the run that a retry repeats, of any run."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from etlml.clock import Clock
from etlml.documents import Checkpoint, Run
from etlml.engine.fingerprints import CACHED, cache_keys
from etlml.engine.journal import Journal
from etlml.engine.patience import patiently
from etlml.engine.reuse import Have, fates, passes_input_on
from etlml.steps.check import CheckedStep
from etlml.steps.templating import References


class CheckpointIndex(Protocol):
    """The part of the checkpoint store that results need."""

    def use_many(self, cache_keys: Sequence[str], now: datetime) -> dict[str, Checkpoint]: ...

    def put(self, document: Checkpoint) -> object: ...


@dataclass
class Results:
    """Finds and keeps the results of one run's steps.

    Attributes:
        references: With secrets masked.
        index: Checkpoints by content.
        runs_dir: A folder a run; paths of checkpoints are relative to it.
        data_dir: Where relative paths of the pipeline start.
        now: The clock.
    """

    references: References
    index: CheckpointIndex
    runs_dir: Path
    data_dir: Path
    now: Clock
    _keys: dict[str, str | None] = field(default_factory=dict)

    def find(self, run: Run, steps: Sequence[CheckedStep], journal: Journal) -> Have:
        """What need not be computed; the journal notes what was taken from the cache."""
        self._keys = cache_keys(steps, self.references, self.data_dir)
        done: set[str] = set()
        files: set[str] = set()
        for checked in steps:
            state = journal.step(checked.step.id)
            if state.status not in ("success", "cached"):
                continue
            done.add(checked.step.id)
            if (
                state.checkpoint
                and not passes_input_on(checked)
                and self._adopted(run, checked.step.id, state.checkpoint, journal)
            ):
                files.add(checked.step.id)
        for step_id, hit in self._hits(steps, done, journal).items():
            if hit.path is not None and not self._adopted(run, step_id, hit.path, journal):
                continue
            done.add(step_id)
            if hit.path is not None:
                files.add(step_id)
            journal.note(
                step_id, status="cached", rows_out=hit.rows, bytes=hit.bytes, metrics=hit.metrics, cache_key=hit.id
            )
        have = Have(frozenset(done), frozenset(files))
        self._note_unneeded(steps, have, journal)
        return have

    def keep(self, run: Run, checked: CheckedStep, journal: Journal) -> None:
        """Have later runs find the result of a step that has just succeeded."""
        key, state = self._keys.get(checked.step.id), journal.step(checked.step.id)
        if key is not None and state.cache_key is None:
            # so that two runs can be asked whether their data was the same
            journal.note(checked.step.id, cache_key=key)
        if key is None or not checked.step.cache or checked.step.type not in CACHED or state.status != "success":
            return
        moment = self.now()
        result = Checkpoint(
            id=key,
            run_id=run.id,
            step_id=checked.step.id,
            path=None if passes_input_on(checked) or state.fused_into else state.checkpoint,
            rows=state.rows_out,
            bytes=state.bytes or 0,
            metrics=state.metrics,
            created_at=moment,
            last_used_at=moment,
        )
        patiently(lambda: self.index.put(result))

    def _hits(self, steps: Sequence[CheckedStep], done: set[str], journal: Journal) -> dict[str, Checkpoint]:
        keys = {
            checked.step.id: key
            for checked in steps
            if checked.step.id not in done
            and checked.step.cache
            and checked.step.type in CACHED
            and not journal.step(checked.step.id).forced
            and (key := self._keys[checked.step.id]) is not None
        }
        if not keys:
            return {}
        found = patiently(lambda: self.index.use_many(list(keys.values()), self.now()))
        return {step_id: found[key] for step_id, key in keys.items() if key in found}

    def _note_unneeded(self, steps: Sequence[CheckedStep], have: Have, journal: Journal) -> None:
        """A step without a result of its own, all of whose takers have theirs, is cached with them."""
        fate = fates(steps, have)
        for checked in steps:
            if fate[checked.step.id] == "unneeded" and journal.step(checked.step.id).status == "pending":
                journal.note(checked.step.id, status="cached", cache_key=self._keys[checked.step.id])

    def _adopted(self, run: Run, step_id: str, checkpoint: str, journal: Journal) -> bool:
        """Whether a checkpoint is there; one of another run becomes this run's own, so that nobody can remove it meanwhile."""
        source = self.runs_dir / checkpoint
        own = self.runs_dir / run.id / f"{step_id}.parquet"
        if source != own:
            own.parent.mkdir(parents=True, exist_ok=True)
            try:
                _link(source, own)
            except FileNotFoundError:
                return False
            journal.note(step_id, checkpoint=own.relative_to(self.runs_dir).as_posix())
        return own.is_file()


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system has no links."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
