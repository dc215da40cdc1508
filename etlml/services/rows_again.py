"""Computing rows again, within bounds: a few at once, shut in, capped in memory and time, secrets kept out of errors."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etlml.compute.children import Children
from etlml.compute.names import quoted
from etlml.compute.relation import Query, Relation
from etlml.compute.scratch import scratch
from etlml.compute.session import Session
from etlml.documents import Run
from etlml.engine.rederiving import Rederivation
from etlml.errors import EtlmlError, NotFound, StateConflict, StepCancelled, StepTimeout, Unavailable
from etlml.services.preview.bench import Later, NoTracker
from etlml.services.preview.hiding import UsedSecrets
from etlml.services.preview.sources import SourceCopies
from etlml.services.rows import parquet_page
from etlml.settings import Settings
from etlml.steps.base import StepContext
from etlml.steps.templating import References, run_references
from etlml.store import Store

MEMORY_BYTES = 384 * 2**20
CHILD_MEMORY_BYTES = 768 * 2**20
SLOTS = 2
PAGE_S, PYTHON_S, ALL_S = 5.0, 6.0, 600.0
_PATIENCE_S = 5.0
_MOST_KEPT, _MOST_CELLS = 32, 30_000


@dataclass(frozen=True)
class Window:
    """A part of the rows, in their order."""

    limit: int
    offset: int = 0


@dataclass(frozen=True)
class ComputedRows:
    """Rows in a Parquet file, of how many they are, and what they were computed from, as a sentence."""

    path: Path
    total: int
    basis: str


class RowsAgain:
    """Computes the rows of steps that kept none; safe to use from many threads. Nothing else is written."""

    def __init__(self, store: Store, environment: Settings) -> None:
        self._store = store
        self._environment = environment
        self._slots = threading.BoundedSemaphore(SLOTS)
        self._lock = threading.Lock()
        self._files = SourceCopies()
        self._kept: OrderedDict[tuple[str, str, Window], dict[str, Any]] = OrderedDict()

    def page(self, run: Run, step_id: str, window: Window) -> dict[str, Any]:
        """Some rows as ``parquet_page`` has them, with their ``basis``; raises what ``write`` raises.

        The rows of a run never change, so they are kept a while: a page that is drawn again computes nothing.
        """
        key = (run.id, step_id, window)
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
        with scratch("rows") as folder:
            found = self.write(run, step_id, folder, window=window)
            page = parquet_page(found.path, limit=window.limit) | {"total": found.total, "basis": found.basis}
        if len(page["rows"]) * len(page["columns"]) <= _MOST_CELLS:
            with self._lock:
                self._kept[key] = page
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return page

    def all(self, run: Run, step_id: str, folder: Path) -> Path:
        """A Parquet file with all rows, in ``folder``; one that was made a while ago need not be made again."""
        key, path = f"{run.id}/{step_id}", folder / "rows.parquet"
        if self._files.take(key, path) is not None:
            return path
        made = self.write(run, step_id, folder).path
        self._files.keep(key, made, is_cut=False)
        return made

    def write(self, run: Run, step_id: str, folder: Path, *, window: Window | None = None) -> ComputedRows:
        """Write a step's rows, or those in a window, to a file in ``folder``, which also takes what is spilled.

        Raises:
            StateConflict: The rows would not be those of the run: a source has changed, or the step is never the same.
            StepTimeout: It takes too long.
            Unavailable: Too much is being computed already.
            EtlmlError: The step can't be computed any more.
        """
        secrets = UsedSecrets()
        try:
            work = self._work(run, step_id, secrets)
            work.refuse_other_rows()
            with self._slot():
                found = self._written(work, folder, window)
            work.refuse_other_rows()  # a source may have changed meanwhile
        except StepCancelled:
            raise StepTimeout(
                f"The rows of step {step_id!r} were not kept, and computing them again takes too long. "
                f"Run the pipeline again up to {step_id!r}, which keeps its rows."
            ) from None
        except EtlmlError as error:
            raise secrets.out_of_error(error) from None
        return found

    def _work(self, run: Run, step_id: str, secrets: UsedSecrets) -> Rederivation:
        try:
            draft = self._store.pipelines.version(run.pipeline_id, run.pipeline_version).document
        except NotFound:
            raise StateConflict(
                f"Step {step_id!r} kept no rows of its own, and the pipeline as it was then is no longer stored.",
                step=step_id,
            ) from None
        masked = run_references(
            run_id=run.id,
            pipeline=run.pipeline_name,
            moment=run.scheduled_for or run.created_at,
            params={**draft.params, **run.params},
        )
        return Rederivation.of(
            run,
            step_id,
            draft,
            true=References(masked.params, masked.run, secrets),
            masked=masked,
            runs_dir=self._environment.runs_dir,
            data_dir=self._environment.data_dir,
        )

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=_PATIENCE_S):
            raise Unavailable("Rows of other steps are being computed. Wait a moment, then ask again.")
        try:
            yield
        finally:
            self._slots.release()

    def _written(self, work: Rederivation, folder: Path, window: Window | None) -> ComputedRows:
        files = [checked.config.files(work.data_dir) for checked in work.steps]
        limit_s = ALL_S if window is None else PAGE_S + (PYTHON_S if work.runs_python else 0)
        with ExitStack() as stack:
            session = stack.enter_context(
                Session(
                    folder,
                    memory_bytes=MEMORY_BYTES,
                    readable=[*work.kept.values(), *(path for each in files for path in each.reads)],
                    folders=[path for each in files for path in each.folders],
                    width=1,
                )
            )
            timer = threading.Timer(limit_s, session.interrupt)
            timer.daemon = True
            timer.start()
            stack.callback(timer.cancel)
            surroundings = _Surroundings(session, work.data_dir, time.monotonic() + limit_s, stack)
            relation = work.bound(session, surroundings.context)
            return _copied(work, session, relation, window)


@dataclass
class _Surroundings:
    """What the steps see of the world."""

    session: Session
    data_dir: Path
    deadline: float
    stack: ExitStack
    _pool: Children | None = None

    def context(self, step_id: str) -> StepContext:
        return StepContext(
            step_id=step_id,
            load_id="none",
            folder=self.session.folder,
            data_dir=self.data_dir,
            session=self.session,
            children=Later(self._children),  # type: ignore[arg-type]
            tracker=NoTracker(),
            log=lambda *_: None,  # the run has told it
            cancelled=lambda: time.monotonic() > self.deadline,
            memory_bytes=CHILD_MEMORY_BYTES,
            checkpoint=self._checkpoint,
        )

    def _checkpoint(self, relation: Relation) -> Relation:
        if not relation.is_lazy:
            return relation
        return self.session.materialise(relation, self.session.folder / f"{relation.name}.parquet")

    def _children(self) -> Children:
        if self._pool is None:
            self._pool = self.stack.enter_context(Children(size=1, warm=()))
        return self._pool


def _copied(work: Rederivation, session: Session, relation: Relation, window: Window | None) -> ComputedRows:
    """The rows as a file; their number must be that of the run."""
    then, path = work.run.step(work.step).rows_out, session.folder / "~rows.parquet"
    if window is not None:
        part = f"SELECT * FROM {quoted(relation.name)} LIMIT {window.limit} OFFSET {window.offset}"
        session.copy(session.define("~rows", Query(part)), path)
        if then is None:
            ((then,),) = session.rows(f"SELECT count(*) FROM {quoted(relation.name)}")
        return ComputedRows(path, int(then), work.basis)
    total = session.copy(relation, path)
    if then is not None and total != then:
        raise StateConflict(
            f"Step {work.step!r} gave {then:,} rows in this run, and {total:,} when it was computed again: it does not "
            f"give the same each time. Run the pipeline again up to {work.step!r}, which keeps its rows.",
            step=work.step,
        )
    return ComputedRows(path, total, work.basis)
