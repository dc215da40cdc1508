"""A retry: which steps it runs again, and which it takes over; pure functions of the runs and pipelines."""

from collections.abc import Sequence
from datetime import datetime

from etlml.documents import Pipeline, Run, Step, StepRun
from etlml.engine.new_runs import ended_with, new_run
from etlml.errors import ConfigInvalid, did_you_mean
from etlml.steps.graph import descendants, execution_order, resolved_needs

FAILED = "failed"
START = "start"
_DONE = frozenset({"success", "cached"})


def retry_of(
    run: Run,
    pipeline: Pipeline,
    earlier: Sequence[Step],
    from_: str,
    *,
    now: datetime,
    author: str,
    run_id: str | None = None,
) -> Run:
    """A run of the pipeline as it is now, with the parameters of ``run``, that takes over what is done.

    Args:
        run: The finished run.
        pipeline: As it is now.
        earlier: Its steps as they were in ``run``.
        from_: As ``retried_steps`` has it. A run that was asked to end with a step ends there again, unless the retry
            starts from a step.

    Raises:
        ConfigInvalid: ``from_`` names no step.
    """
    params = {name: run.params.get(name, value) for name, value in pipeline.params.items()}
    until = run.until if from_ in (FAILED, START) and run.until in {step.id for step in pipeline.steps} else None
    fresh = new_run(pipeline, trigger="retry", now=now, params=params, triggered_by=author, until=until, run_id=run_id)
    steps = retried_steps(run, execution_order(pipeline.steps), earlier, from_)
    fresh.steps = steps if until is None else ended_with(until, pipeline.steps, steps)
    fresh.retry_of, fresh.retry_from = run.id, None if from_ == FAILED else from_
    fresh.reason = f"Retry from {from_} of run {run.id[-6:]}."
    return fresh


def retried_steps(run: Run, steps: Sequence[Step], earlier: Sequence[Step], from_: str) -> list[StepRun]:
    """The step runs of a run that repeats ``run``: what is done and unchanged stands there as cached, with its checkpoint.

    Args:
        run: The finished run.
        steps: The pipeline's steps as they are now, in execution order.
        earlier: Its steps as they were in ``run``.
        from_: ``failed`` (what did not succeed), ``start`` (everything), or a step's id (it and all that depends on it).

    Raises:
        ConfigInvalid: ``from_`` names no step.
    """
    again = _steps_to_run(run, steps, earlier, from_)
    before = {step.id: step for step in run.steps}
    return [
        _to_do(step, run, before.get(step.id), forced=from_ != FAILED)
        if step.id in again
        else _taken_over(before[step.id])
        for step in steps
    ]


def _to_do(step: Step, run: Run, before: StepRun | None, *, forced: bool) -> StepRun:
    """A step that runs again; asked for by name, it does its work even if its result is in the cache.

    A load that may have got its rows into the sink although its success was never recorded keeps the id by which the
    sink knows it, so that they are not written twice.
    """
    fresh = StepRun(id=step.id, name=step.name, type=step.type, forced=forced)
    if before is not None and before.attempts and before.status not in _DONE:
        fresh.load_id = before.load_id or f"{run.id}/{step.id}"
    return fresh


def _steps_to_run(run: Run, steps: Sequence[Step], earlier: Sequence[Step], from_: str) -> set[str]:
    ids = [step.id for step in steps]
    if from_ == START:
        return set(ids)
    if from_ != FAILED and from_ not in ids:
        raise ConfigInvalid(
            f"There is no step {from_!r} to start from. {did_you_mean(from_, ids)} Or use {FAILED!r} or {START!r}.",
            field="from",
        )
    needs = resolved_needs(steps)
    done = {step.id for step in run.steps if step.status in _DONE}
    again = {step for step in ids if step not in done} | _changed(steps, earlier)
    if from_ != FAILED:
        again.add(from_)
    return again | {below for step in again for below in descendants(step, needs)}


def _changed(steps: Sequence[Step], earlier: Sequence[Step]) -> set[str]:
    """Steps whose result could be another one now."""
    before = {step.id: step for step in earlier}
    needs, needs_before = resolved_needs(steps), resolved_needs(earlier)
    return {
        step.id
        for step in steps
        if (old := before.get(step.id)) is None
        or (step.type, step.config, step.validations) != (old.type, old.config, old.validations)
        or needs[step.id] != needs_before[step.id]
    }


def _taken_over(step: StepRun) -> StepRun:
    return step.model_copy(update={"status": "cached", "error": None})
