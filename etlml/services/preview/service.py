"""The service of previews: one attempt exactly, then on parts of the sources; answers kept by content."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from etlml.compute.children import Children
from etlml.compute.names import quoted
from etlml.compute.scratch import scratch
from etlml.compute.session import Session
from etlml.compute.spare import SpareDatabase
from etlml.documents import PipelineDraft
from etlml.errors import EtlmlError, StepCancelled, StepTimeout, Unavailable
from etlml.services.drafts import draft_from
from etlml.services.preview.answers import Answers
from etlml.services.preview.bench import Bench, Reach
from etlml.services.preview.effort import Effort
from etlml.services.preview.hiding import UsedSecrets
from etlml.services.preview.looks import Look, load_target, look
from etlml.services.preview.plan import Plan, plan
from etlml.services.preview.profile import profile
from etlml.services.preview.result import Preview
from etlml.services.preview.sources import SourceCopies
from etlml.services.rows import json_value
from etlml.settings import Settings
from etlml.steps.check import problem
from etlml.steps.load import LoadConfig

MOST_ROWS = 1000
MEMORY_BYTES = 384 * 2**20
CHILD_MEMORY_BYTES = 768 * 2**20
SLOTS = 3
_PATIENCE_S = 5.0
_EXACT_S, _SAMPLE_S, _PYTHON_S = 1.5, 2.0, 6.0
_CODE_EXACT_S, _CODE_SAMPLE_S = 1.5, 2.5
"""Of that, Python code itself may work so long: the rest is for a machine that is busy with other things."""
_CODE_LONGEST_EXACT_S = 3.0
_REACHES = (Reach(), Reach(main=100_000), Reach(main=10_000, others=10_000))
_EXACT_WEIGHT, _EXACT_WEIGHT_PYTHON = 160 * 2**20, 4 * 2**20
_TRY_EXACT_AGAIN_S = 60.0
_MOST_SLOW = 64
_CHILD_WARM = ("numpy", "pandas", "pyarrow.parquet", "etlml.steps.python_child")


class PreviewService:
    """Computes previews within seconds, one attempt exactly, and on parts of the sources if that takes too long.

    Safe to use from many threads: ``SLOTS`` previews are computed side by side, equal ones once; answers are kept by
    content, so that asking again costs nothing.
    """

    def __init__(self, environment: Settings) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(SLOTS)
        self._answers = Answers()
        self._slow: dict[str, tuple[int, float]] = {}
        self._spare = SpareDatabase(memory_bytes=MEMORY_BYTES)
        self._copies = SourceCopies()
        self._children: Children | None = None

    def of_step(
        self,
        document: PipelineDraft | Mapping[str, Any],
        step_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        ops_until: int | None = None,
        changes_of: int | None = None,
        limit: int = 100,
    ) -> Preview:
        """What one step would give.

        Args:
            document: A pipeline, saved or not; what is wrong with steps that this one does not need does not matter.
            step_id: The step.
            params: Values in place of the pipeline's own.
            ops_until: Of a transform only the first so many ops; None is all.
            changes_of: The op, by its place from 0, whose changed rows are told; it is the last one that is computed.
            limit: How many rows are shown at most.

        Raises:
            NotFound: There is no such step.
            InvalidInput: There is no op ``changes_of``.
            EtlmlError: It, or a step that it needs, is wrong or fails; ``details['step']`` says which.
            StepTimeout: Even a small part of the rows takes too long.
            Unavailable: Too many previews are being computed.

        The secrets that its steps use are in none of it, nor in an error.
        """
        draft = document if isinstance(document, PipelineDraft) else draft_from(document)
        data_dir, secrets = self._environment.data_dir, UsedSecrets()
        try:
            until = ops_until if changes_of is None else changes_of + 1
            work = plan(draft, step_id, params=params or {}, ops_until=until, data_dir=data_dir, secrets=secrets)
            work = work.telling_changes_of(changes_of)
            shown = min(max(limit, 0), MOST_ROWS)
            found = self._answers.once(f"{work.key}.{shown}", lambda: self._computed(work, shown))
        except EtlmlError as error:
            raise secrets.out_of_error(_named(error, step_id)) from None
        if isinstance(config := work.target.config, LoadConfig):
            found = found.model_copy(update={"target": load_target(config, data_dir)})
        return secrets.out_of(found)

    def begin(
        self,
        document: PipelineDraft | Mapping[str, Any],
        step_id: str,
        *,
        ops_until: int | None = None,
        changes_of: int | None = None,
    ) -> "Future[Preview]":
        """``of_step`` in a thread of its own, for a caller that has other things to do meanwhile."""
        future: Future[Preview] = Future()

        def compute() -> None:
            try:
                future.set_result(self.of_step(document, step_id, ops_until=ops_until, changes_of=changes_of))
            except BaseException as error:  # noqa: BLE001  it belongs to whoever asks for the result
                future.set_exception(error)

        threading.Thread(target=compute, name="preview", daemon=True).start()
        return future

    def close(self) -> None:
        """Free what is kept: databases, files, processes."""
        self._spare.close()
        self._copies.close()
        self._answers.forget()
        with self._lock:
            children, self._children = self._children, None
        if children is not None:
            children.close()

    def _computed(self, work: Plan, limit: int) -> Preview:
        if not self._slots.acquire(timeout=_PATIENCE_S):
            raise Unavailable("Several previews are being computed already. Wait a moment, then ask again.")
        spent = False
        try:
            for number in self._reaches(work):
                try:
                    return self._attempt(work, _REACHES[number], limit)
                except StepCancelled as error:
                    spent = bool(error.details.get("code_spent"))
                    self._remember_slow(work, number + 1)
        finally:
            self._slots.release()
            threading.Thread(target=self._spare.refill, name="preview-spare", daemon=True).start()
        raise _too_slow(spent=spent)

    def _reaches(self, work: Plan) -> list[int]:
        """The reaches that are worth a try, in this order. Code that is slow may well be endless: it gets two at most."""
        first, last = self._first_reach(work), len(_REACHES) - 1
        return sorted({first, last}) if work.runs_python else list(range(first, last + 1))

    def _first_reach(self, work: Plan) -> int:
        """The first of the reaches: by size, and by what took too long a moment ago."""
        heavy = work.weight > (_EXACT_WEIGHT_PYTHON if work.runs_python else _EXACT_WEIGHT)
        number, until = self._slow.get(work.source_key, (0, 0.0))
        if time.monotonic() > until:
            number = 0
        return max(number, (2 if work.runs_python else 1) if heavy else 0)

    def _remember_slow(self, work: Plan, number: int) -> None:
        with self._lock:
            if len(self._slow) > _MOST_SLOW:
                self._slow.clear()
            self._slow[work.source_key] = (min(number, len(_REACHES) - 1), time.monotonic() + _TRY_EXACT_AGAIN_S)

    def _attempt(self, work: Plan, reach: Reach, limit: int) -> Preview:
        """One try within a time limit; StepCancelled when it is over."""
        limit_s = (_EXACT_S if reach == _REACHES[0] else _SAMPLE_S) + (_PYTHON_S if work.runs_python else 0)
        data_dir = self._environment.data_dir
        files = [one.config.files(data_dir) for one in work.steps]
        with (
            scratch("preview") as folder,
            Session(
                folder,
                memory_bytes=MEMORY_BYTES,
                readable=[path for each in files for path in each.reads],
                folders=[path for each in files for path in each.folders],
                width=1,
                database=self._spare.take(),
            ) as session,
        ):
            bench = Bench(
                plan=work,
                reach=reach,
                session=session,
                data_dir=data_dir,
                copies=self._copies,
                children=self._child_pool,
                memory_bytes=CHILD_MEMORY_BYTES,
                deadline=time.monotonic() + limit_s,
                effort=_exact_effort if reach == _REACHES[0] else _last_effort,
            )
            timer = threading.Timer(limit_s, session.interrupt)
            timer.daemon = True
            timer.start()
            try:
                return _preview(bench, look(bench), limit)
            finally:
                timer.cancel()

    def _child_pool(self) -> Children:
        with self._lock:
            if self._children is None:
                self._children = Children(size=1, warm=_CHILD_WARM)
            return self._children


def _exact_effort() -> Effort:
    return Effort(_CODE_EXACT_S, _CODE_LONGEST_EXACT_S)  # there is a second attempt, on fewer rows


def _last_effort() -> Effort:
    return Effort(_CODE_SAMPLE_S)


def _too_slow(*, spent: bool) -> StepTimeout:
    """What is said when even the smallest reach took too long; of code that worked all that time, how long that was."""
    least = f"{_REACHES[-1].main or 0:,} rows of each source"
    if not spent:
        return StepTimeout(
            f"The preview takes too long even on {least}. Run the pipeline up to this step instead, or make the step lighter."
        )
    return StepTimeout(
        f"The Python code takes too long: even on {least} it did not end within {_CODE_SAMPLE_S:g} s. "
        "Look for a loop that never ends, or run the pipeline up to this step instead.",
        code_s=_CODE_SAMPLE_S,
    )


def _preview(bench: Bench, found: Look, limit: int) -> Preview:
    session, table = bench.session, found.table
    names = table.schema.names
    rows = session.rows(f"SELECT * FROM {quoted(table.name)} LIMIT {limit}")
    return Preview(
        step=bench.plan.target.step.id,
        type=bench.plan.target.step.type,
        columns=tuple({"name": column.name, "type": column.type} for column in table.schema),
        rows=tuple(dict(zip(names, map(json_value, row), strict=True)) for row in rows),
        row_count=found.rows,
        sampled=bool(bench.cut),
        basis=_basis(bench),
        profile=profile(session, table.name, table.schema, found.rows),
        notes=tuple(dict.fromkeys(bench.notes)),
        **found.facts,
    )


def _basis(bench: Bench) -> str:
    if not bench.cut:
        return "Computed on all rows."
    parts = ", ".join(f"the first {rows:,} rows of {step}" for step, rows in bench.cut.items())
    others = len(bench.plan.sources) > len(bench.cut)
    return f"Computed on {parts}{'; the other sources are read whole' if others else ''}."


def _named(error: EtlmlError, step_id: str) -> EtlmlError:
    """The error with the step that it is about, in its details and, for another step than the one asked for, its message."""
    at_fault = error.details.setdefault("step", step_id)
    if at_fault != step_id:
        error.message = str(problem(error)["message"])
        error.args = (error.message,)
    return error
