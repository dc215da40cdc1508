"""What may be forgotten: old runs with their logs, verdicts and checkpoints, and the cache beyond its budget.

Nothing that a run in progress or a registered model needs is removed; a checkpoint that the cache offers lives on under
the names that newer runs gave it (hard links).
"""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from etlml.clock import Clock
from etlml.documents import Document
from etlml.engine import leftovers
from etlml.engine.preferences import preferences
from etlml.sizes import plural, size

if TYPE_CHECKING:
    from etlml.store.client import Store

BATCH = 200
LOG = logging.getLogger(__name__)


class RetentionPolicy(Document):
    """How long and how much is kept; None keeps without limit. The fields are preferences of the same name."""

    model_config = ConfigDict(extra="ignore")

    run_retention_days: float | None = Field(
        None, gt=0, le=36_500, description="Runs and backfills that ended longer ago are forgotten."
    )
    runs_per_pipeline: int | None = Field(None, ge=1, description="So many newest runs of each pipeline are kept.")
    validation_retention_days: float | None = Field(
        None, gt=0, le=36_500, description="Older evaluations of rules are forgotten."
    )
    audit_retention_days: float | None = Field(
        None, gt=0, le=36_500, description="Older entries of the audit are forgotten; unless set they stay for good."
    )
    log_max_lines: int | None = Field(5_000_000, ge=1000, description="The oldest log lines beyond this are deleted.")
    cache_max_bytes: int | None = Field(
        20 * 10**9, ge=0, description="Budget of the step cache; least used goes first."
    )


@dataclass(frozen=True)
class Freed:
    """What a policy removes, or would remove; bytes are of files."""

    runs: int = 0
    checkpoints: int = 0
    validations: int = 0
    log_lines: int = 0
    audit_entries: int = 0
    bytes: int = 0
    run_ids: tuple[str, ...] = field(default=(), repr=False)
    cache_keys: tuple[str, ...] = field(default=(), repr=False)


class Retention:
    """Finds and removes what a policy no longer keeps."""

    def __init__(self, store: "Store", runs_dir: Path, now: Clock) -> None:
        self._store, self._runs_dir, self._now = store, runs_dir, now

    def policy(self) -> RetentionPolicy:
        """The policy in force."""
        return preferences(self._store, RetentionPolicy)

    def preview(self, policy: RetentionPolicy) -> Freed:
        """What the policy would free now; nothing is removed."""
        run_ids = self._old_runs(policy)
        keys, cached = self._cache_overflow(policy, set(run_ids))
        return Freed(
            runs=len(run_ids),
            checkpoints=len(keys),
            validations=self._store.validations.count_before(self._before(policy.validation_retention_days)),
            log_lines=max(0, self._store.logs.total() - policy.log_max_lines) if policy.log_max_lines else 0,
            audit_entries=self._store.audit.count_before(self._before(policy.audit_retention_days)),
            bytes=cached + sum(folder_bytes(self._runs_dir / run_id) for run_id in run_ids),
            run_ids=tuple(run_ids),
            cache_keys=tuple(keys),
        )

    def apply(self, policy: RetentionPolicy) -> Freed:
        """Remove it; what was freed."""
        plan = self.preview(policy)
        for start in range(0, len(plan.run_ids), BATCH):
            self._forget_runs(plan.run_ids[start : start + BATCH])
        self._evict(plan.cache_keys)
        self._store.validations.delete_before(self._before(policy.validation_retention_days))
        self._store.audit.delete_before(self._before(policy.audit_retention_days))
        self._store.backfills.delete_ended_before(self._before(policy.run_retention_days))
        if policy.log_max_lines is not None:
            self._store.logs.delete_beyond(policy.log_max_lines)
        if plan.audit_entries:
            LOG.info("Retention removed %s of the audit.", plural(plan.audit_entries, "entry", "entries"))
        if plan.runs or plan.checkpoints:
            LOG.info(
                "Retention freed %s and %s, %s.",
                plural(plan.runs, "run"),
                plural(plan.checkpoints, "cached result"),
                size(plan.bytes),
            )
        return plan

    def tick(self) -> None:
        """Apply the policy in force, and remove what was left by runs and pipelines that are gone."""
        self.apply(self.policy())
        leftovers.sweep(self._store)
        self._sweep()

    def _before(self, days: float | None) -> datetime:
        longest = timedelta(days=36_500)
        return self._now() - (longest if days is None else timedelta(days=days))

    def _old_runs(self, policy: RetentionPolicy) -> list[str]:
        found: dict[str, None] = {}
        if policy.run_retention_days is not None:
            old = self._store.runs.ended_before(self._before(policy.run_retention_days))
            found |= dict.fromkeys(run.id for run in old)
        if policy.runs_per_pipeline is not None:
            found |= dict.fromkeys(self._store.runs.beyond(policy.runs_per_pipeline))
        return list(found)

    def _cache_overflow(self, policy: RetentionPolicy, leaving: set[str]) -> tuple[list[str], int]:
        """The least used results beyond the budget: their keys and the bytes of their files."""
        if policy.cache_max_bytes is None:
            return [], 0
        excess = self._store.checkpoints.total_bytes() - policy.cache_max_bytes
        keys: list[str] = []
        freed = 0
        for checkpoint in self._store.checkpoints.least_used(limit=10_000) if excess > 0 else ():
            if freed >= excess:
                break
            keys.append(checkpoint.id)
            freed += checkpoint.bytes if checkpoint.run_id not in leaving else 0
        return keys, freed

    def _forget_runs(self, run_ids: Sequence[str]) -> None:
        """Remove runs that have ended, and only then what belonged to them."""
        self._store.runs.delete_ended(run_ids)
        gone = set(run_ids) - set(self._store.runs.get_many(run_ids))
        self._store.checkpoints.delete_many([each.id for each in self._store.checkpoints.of_runs(sorted(gone))])
        self._store.logs.delete_of_runs(sorted(gone))
        for run_id in gone:
            shutil.rmtree(self._runs_dir / run_id, ignore_errors=True)

    def _evict(self, keys: Sequence[str]) -> None:
        """Drop results from the cache; the index first, so that no run is promised a file that goes."""
        known = self._store.checkpoints.get_many(keys)
        self._store.checkpoints.delete_many(list(known))
        active = set(self._store.runs.all_active())
        for checkpoint in known.values():
            if checkpoint.path is not None and checkpoint.run_id not in active:
                (self._runs_dir / checkpoint.path).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove folders of runs that are not in the database (any more), a day after their last change."""
        if not self._runs_dir.is_dir():
            return
        old = (self._now() - timedelta(days=1)).timestamp()
        folders = [path for path in self._runs_dir.iterdir() if path.is_dir() and path.stat().st_mtime < old]
        known = self._store.runs.get_many([path.name for path in folders])
        for path in folders:
            if path.name not in known:
                shutil.rmtree(path, ignore_errors=True)


def folder_bytes(folder: Path) -> int:
    """The size of a folder's files that have no other name, which is what removing it frees."""
    if not folder.is_dir():
        return 0
    stats = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(each.st_size for each in stats if each.st_nlink == 1)
