"""What a preview has to compute: the step, all that it needs, typed and checked, and a key of everything that counts."""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from etlml.clock import utc_now
from etlml.compute.schema import Schema
from etlml.documents import PipelineDraft, Step
from etlml.errors import EtlmlError, GraphInvalid, InvalidInput, NotFound
from etlml.services.preview.hiding import UsedSecrets
from etlml.steps.check import CheckedStep
from etlml.steps.extract import ExtractConfig
from etlml.steps.graph import check_graph, execution_order, resolved_needs, upto
from etlml.steps.registry import typed_config
from etlml.steps.templating import References, filled, run_references
from etlml.steps.transform import TransformConfig

_UNTOLD_S = 30.0
"""For how long a source that nobody can tell the age of counts as unchanged."""
_PACKED = frozenset({".parquet", ".pq", ".gz", ".zst", ".xz", ".bz2", ".zip"})
_PACKED_WEIGHT = 4  # so many times the rows of a text file of that size
_AT_OP = re.compile(r"\bops\[(\d+)\]")


@dataclass(frozen=True)
class Plan:
    """A preview's work.

    Attributes:
        steps: The step and what it needs, in execution order; the step itself is the last.
        main: The extract step that its rows come from: that of the first input of the first input, and so on.
        sources: What each extract step reads, as text that changes with the rows.
        weight: Size of the sources in bytes of plain text, roughly.
        key: Equal for equal previews.
        runs_python: Whether Python code has to run.
        changes_of: The op whose changed rows are asked for, by its place in the list.
    """

    steps: tuple[CheckedStep, ...]
    main: str | None
    sources: Mapping[str, str | None]
    weight: int
    key: str
    runs_python: bool
    changes_of: int | None = None

    @property
    def target(self) -> CheckedStep:
        """The step that is looked at."""
        return self.steps[-1]

    @property
    def source_key(self) -> str:
        """Which rows come in."""
        return _digest([self.target.step.id, dict(self.sources)])

    def telling_changes_of(self, at: int | None) -> "Plan":
        """The same work with the rows that the op at that place changed.

        Raises:
            InvalidInput: There is no such op.
        """
        if at is None:
            return self
        config = self.target.config
        if not isinstance(config, TransformConfig) or at >= len(config.ops):
            raise InvalidInput(f"Step {self.target.step.id!r} has no op {at + 1}.", field="changes_of")
        return replace(self, changes_of=at, key=_digest([self.key, at]))


def plan(
    document: PipelineDraft,
    step_id: str,
    *,
    params: Mapping[str, Any],
    ops_until: int | None,
    data_dir: Path,
    secrets: UsedSecrets,
) -> Plan:
    """The work of a preview of one step, or of the first ``ops_until`` ops of it; ``secrets`` learns which it uses.

    Raises:
        NotFound: There is no such step.
        EtlmlError: The step, or one that it needs, is wrong; ``details['step']`` says which.
    """
    if step_id not in {step.id for step in document.steps}:
        raise NotFound("step", step_id, [step.id for step in document.steps])
    steps = [_cut(step, ops_until) if step.id == step_id else step for step in upto(document.steps, step_id)]
    if problems := check_graph(steps):
        raise problems[0]
    values = {**document.params, **params}
    masked = run_references(run_id="0" * 20, pipeline=document.name, moment=utc_now(), params=values)
    true = References(masked.params, masked.run, secrets)
    checked = _checked(steps, true, data_dir)
    sources = {
        one.step.id: one.config.fingerprint(data_dir) for one in checked if isinstance(one.config, ExtractConfig)
    }
    parts = [[one.step.id, one.step.type, filled(one.step.config, masked), one.needs] for one in checked]
    return Plan(
        steps=tuple(checked),
        main=_main_source(checked),
        sources=sources,
        weight=sum(_weight(one.config, data_dir) for one in checked if isinstance(one.config, ExtractConfig)),
        key=_digest([parts, {name: text or _now() for name, text in sources.items()}, ops_until, secrets.digest]),
        runs_python=any(
            op.enabled and getattr(op, "op", "") == "python"
            for one in checked
            if isinstance(one.config, TransformConfig)
            for op in one.config.ops
        ),
    )


def op_at_fault(error: EtlmlError) -> int | None:
    """Which op of the step's list an error speaks of, if it speaks of one."""
    if isinstance(at := error.details.get("op"), int):
        return at
    found = _AT_OP.search(str(error.details.get("field") or ""))
    return int(found[1]) if found else None


def _cut(step: Step, ops_until: int | None) -> Step:
    """The step with its first ops only: what is wrong with later ones does not matter then."""
    ops = step.config.get("ops")
    if ops_until is None or not isinstance(ops, list):
        return step
    return step.model_copy(update={"config": {**step.config, "ops": ops[:ops_until]}})


def _checked(steps: list[Step], references: References, data_dir: Path) -> list[CheckedStep]:
    needs = resolved_needs(steps)
    schemas: dict[str, Schema | None] = {}
    checked: list[CheckedStep] = []
    for step in execution_order(steps):
        try:
            config = typed_config(step, filled(step.config, references))
            fewest, _ = config.takes_inputs
            if len(needs[step.id]) < fewest:
                raise GraphInvalid("Its input is missing. Connect another step to it.", field="needs")
            schemas[step.id] = config.check({need: schemas[need] for need in needs[step.id]}, data_dir)
        except EtlmlError as error:
            error.details.setdefault("step", step.id)
            raise
        checked.append(CheckedStep(step, config, needs[step.id], (), schemas[step.id]))
    return checked


def _main_source(steps: list[CheckedStep]) -> str | None:
    by_id = {one.step.id: one for one in steps}
    at = steps[-1]
    while at.needs:
        at = by_id[at.needs[0]]
    return at.step.id if at.step.type == "extract" else None


def _weight(config: ExtractConfig, data_dir: Path) -> int:
    if config.source.kind != "file":
        return 0  # a copy of limited length is read
    files = config.source.paths(data_dir)
    return sum(path.stat().st_size * (_PACKED_WEIGHT if path.suffix in _PACKED else 1) for path in files)


def _now() -> str:
    return str(int(time.monotonic() // _UNTOLD_S))


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
