"""The rows of a step that kept none: computed again from what its run kept, or from sources that are as they were."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from etlml.compute.names import quoted
from etlml.compute.relation import Query, Relation
from etlml.compute.session import Session
from etlml.documents import PipelineDraft, Run, StepRun
from etlml.engine.fingerprints import step_key
from etlml.engine.reuse import passes_input_on
from etlml.errors import StateConflict
from etlml.steps.base import StepContext
from etlml.steps.check import CheckedStep, typed_steps
from etlml.steps.extract import ExtractConfig
from etlml.steps.graph import upto
from etlml.steps.templating import References, filled
from etlml.steps.transform import TransformConfig


def kept_file(step: StepRun, runs_dir: Path) -> Path | None:
    """The Parquet file with a step's rows, if it kept them and they are still there."""
    path = runs_dir / step.checkpoint if step.checkpoint is not None else None
    return path if path is not None and path.is_file() else None


@dataclass(frozen=True)
class Rederivation:
    """What gives a step's rows once more.

    Attributes:
        run: The run whose rows they are.
        step: The step.
        steps: What is computed, in execution order; the step itself is the last.
        kept: Files that are read in place of computing, by step.
        masked: What references stand for, secrets masked, as the keys of results have them.
        data_dir: Where relative paths of the pipeline start.
    """

    run: Run
    step: str
    steps: tuple[CheckedStep, ...]
    kept: Mapping[str, Path]
    masked: References
    data_dir: Path

    @classmethod
    def of(
        cls,
        run: Run,
        step: str,
        draft: PipelineDraft,
        *,
        true: References,
        masked: References,
        runs_dir: Path,
        data_dir: Path,
    ) -> "Rederivation":
        """The least that has to be computed for the rows of one step of a run, by the pipeline as it was then."""
        typed = typed_steps(upto(draft.steps, step), true)
        by_id = {checked.step.id: checked for checked in typed}
        wanted, kept, frontier = set[str](), dict[str, Path](), [step]
        while frontier:
            one = frontier.pop()
            if (file := kept_file(run.step(one), runs_dir)) is not None:
                kept[one] = file
            elif one not in wanted:
                wanted.add(one)
                frontier.extend(by_id[one].needs)
        steps = tuple(checked for checked in typed if checked.step.id in wanted)
        return cls(run, step, steps, kept, masked, data_dir)

    @property
    def runs_python(self) -> bool:
        """Whether Python code has to run."""
        return any(map(_has_python, self.steps))

    @property
    def basis(self) -> str:
        """What the rows are computed from, as a sentence."""
        from_sources = any(isinstance(checked.config, ExtractConfig) for checked in self.steps)
        origin = "the same sources" if from_sources else f"the rows that {_listed(sorted(self.kept))} kept"
        return f"Computed again from {origin}{', running its Python code again' if self.runs_python else ''}."

    def refuse_other_rows(self) -> None:
        """Make sure that the rows are those which the run had.

        Raises:
            StateConflict: They may be others by now; the message says why, and what to do.
        """
        for checked in self.steps:
            if (why := self._why_others(checked)) is not None:
                state = self.run.step(self.step)
                instead = f"Look at the rows of {state.fused_into!r}, or run" if state.fused_into else "Run"
                gone = "were not kept" if state.checkpoint is None else "are no longer kept"
                raise StateConflict(
                    f"The rows of step {self.step!r} {gone}, and they can't be computed again: {why} "
                    f"{instead} the pipeline again up to {self.step!r}, which keeps its rows.",
                    step=self.step,
                    cause=checked.step.id,
                    fused_into=state.fused_into,
                )

    def bound(self, session: Session, context: Callable[[str], StepContext]) -> Relation:
        """The step's rows as a relation of a session that may read the kept files and the sources."""
        relations = {step: session.attach(step, file) for step, file in self.kept.items()}
        for checked in self.steps:
            step, inputs = checked.step.id, {need: relations[need] for need in checked.needs}
            relation = (
                inputs[checked.needs[0]]
                if passes_input_on(checked)
                else checked.config.execute(inputs, context(step)).relation
            )
            if relation.name != step:
                relation = session.define(step, Query(f"SELECT * FROM {quoted(relation.name)}"))
            relations[step] = relation
        return relations[self.step]

    def _why_others(self, checked: CheckedStep) -> str | None:
        """Why a step may give other rows than in the run; None if it gives the same."""
        if passes_input_on(checked):
            return None
        step, config = checked.step.id, checked.config
        before, outside = self.run.step(step).cache_key, config.fingerprint(self.data_dir)
        if isinstance(config, ExtractConfig):
            source = f"the source of {step!r}{self._place(checked)}"
            if before is None:
                return f"nobody can tell whether {source} is still what it was."
            if outside is None or step_key(checked, self.masked, (), outside) != before:
                return f"{source} has changed since, or the platform was updated."
            return None
        if outside is None or (_has_python(checked) and not checked.step.cache):
            return f"{step!r} gives something else each time that it is computed."
        upstream = [self.run.step(need).cache_key for need in checked.needs]
        if before is not None and None not in upstream and step_key(checked, self.masked, upstream, outside) != before:
            return f"{step!r} was computed by another version of the platform, or for another run."
        return None

    def _place(self, checked: CheckedStep) -> str:
        path = filled(checked.step.config, self.masked).get("source", {}).get("path")
        return f" ({path})" if isinstance(path, str) else ""


def _has_python(checked: CheckedStep) -> bool:
    config = checked.config
    return isinstance(config, TransformConfig) and any(
        op.enabled and getattr(op, "op", "") == "python" for op in config.ops
    )


def _listed(steps: list[str]) -> str:
    names = [repr(step) for step in steps]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
