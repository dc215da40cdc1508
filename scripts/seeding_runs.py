"""Runs that have ended in a seeded database, with what they logged and what their checks found."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from etlml.documents import ErrorInfo, LogEntry, LogLevel, Pipeline, RuleResult, Run, Step, StepRun, Validation
from etlml.store import Store

_CHECKED = 328_063
_ROWS = {"flights": 336_776, "planes": 3_322, "airlines": 16, "clean": _CHECKED, "check": _CHECKED, "save": _CHECKED}
_ROWS |= {"database": _CHECKED, "model": _CHECKED, "penguins": 344, "measured": 333, "species": 333, "by_day": 365}
_ROWS |= {"weather": 26_115, "by_hour": 26_114, "by_maker": 35}


class Failure(NamedTuple):
    """How a step fails now and then."""

    step: str
    type: str
    message: str


_FAILURES = (
    Failure(
        "check",
        "ValidationFailed",
        "Rule in_set(origin) is broken: 1,204 of 328,063 rows (0.37 %) have another value. See the sample rows.",
    ),
    Failure(
        "flights",
        "DataUnreadable",
        "There is no file 'examples/flights.parquet'. Did you mean 'examples/flights_2013.parquet'?",
    ),
    Failure("clean", "ColumnMissing", "The input has no column 'dep_dely'. Did you mean 'dep_delay'?"),
)


def seed_runs(store: Store, pipeline: Pipeline, days: int, now: datetime, chance: random.Random) -> None:
    """Add what a pipeline did in the last days, the oldest first."""
    for hours in _hours(pipeline, days, chance):
        run = _run(pipeline, now - timedelta(hours=hours), chance)
        store.runs.add(run)
        for state in (run.model_copy(update={"status": "running"}), run):
            store.pipelines.mark_run(pipeline.id, state)
        store.logs.add_many(_lines(run))
        check = next((one for one in run.steps if one.type == "validate" and one.status in ("success", "failed")), None)
        if check is not None:
            store.validations.add(_validation(run, check, chance))


def _hours(pipeline: Pipeline, days: int, chance: random.Random) -> list[float]:
    """How long ago its runs began."""
    each_day = {"flights": 3, "weather": 2, "fleet-report": 0}.get(pipeline.name, 1)
    return sorted(
        (day * 24 + chance.uniform(0.6, 23) for day in range(days) for _ in range(chance.randint(0, each_day + 1))),
        reverse=True,
    )


def _run(pipeline: Pipeline, at: datetime, chance: random.Random) -> Run:
    failure = chance.choice(_FAILURES) if pipeline.name == "flights" and chance.random() < 0.14 else None
    steps = _steps(pipeline, at + timedelta(milliseconds=40), failure, chance)
    end = max(step.finished_at for step in steps if step.finished_at)
    error = next((step.error for step in steps if step.error), None)
    trigger = "schedule" if pipeline.schedule and chance.random() < 0.6 else "manual"
    return Run(
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        status="failed" if error else "cancelled" if chance.random() < 0.03 else "success",
        trigger=trigger,
        triggered_by="scheduler" if trigger == "schedule" else "ada",
        scheduled_for=at if trigger == "schedule" else None,
        created_at=at,
        started_at=at + timedelta(milliseconds=30),
        finished_at=end,
        duration_s=(end - at).total_seconds(),
        params=pipeline.params,
        steps=steps,
        error=error,
        warnings=sum(step.warnings for step in steps),
        attempt=1,
    )


def _steps(pipeline: Pipeline, began: datetime, failure: Failure | None, chance: random.Random) -> list[StepRun]:
    """The steps one after the other, but for extracts, which begin at once; what needs a broken one is skipped."""
    ran: list[StepRun] = []
    broken: set[str] = set()
    for step in pipeline.steps:
        if broken.intersection(step.needs or []) or (broken and step.needs is None):
            ran.append(StepRun(id=step.id, name=step.name, type=step.type, status="skipped"))
            broken.add(step.id)
            continue
        ended = _step(step, began, failure if failure and failure.step == step.id else None, chance)
        ran.append(ended)
        if ended.error:
            broken.add(step.id)
        if step.type != "extract" and ended.finished_at:
            began = ended.finished_at
    return ran


def _step(step: Step, began: datetime, failure: Failure | None, chance: random.Random) -> StepRun:
    seconds = chance.uniform(0.05, 0.5) * (12 if step.type == "train" else 1)
    rows = _ROWS.get(step.id)
    ended = StepRun(
        id=step.id,
        name=step.name,
        type=step.type,
        status="success",
        attempts=1,
        started_at=began,
        finished_at=began + timedelta(seconds=seconds),
        rows_in=None if step.type == "extract" else _ROWS.get((step.needs or [""])[0], rows),
        warnings=1 if step.type == "validate" and chance.random() < 0.2 else 0,
    )
    if failure is not None:
        ended.status, ended.error = "failed", ErrorInfo(step=step.id, type=failure.type, message=failure.message)
    elif rows is not None:
        ended.rows_out, ended.bytes = rows, rows * 41
    return ended


def _lines(run: Run) -> Iterator[LogEntry]:
    """What a run logs."""
    yield _line(run, run.created_at, f"Run of {run.pipeline_name!r} started ({run.trigger}).")
    for step in run.steps:
        yield from _step_lines(run, step)
    ended = run.finished_at or run.created_at
    yield _line(run, ended, f"Run of {run.pipeline_name!r} ended: {run.status}.", "ERROR" if run.error else "INFO")


def _step_lines(run: Run, step: StepRun) -> Iterator[LogEntry]:
    if step.started_at is None or step.finished_at is None:
        return
    yield _line(run, step.started_at, f"Step {step.id!r} started.", "DEBUG", step.id)
    if step.error:
        yield _line(run, step.finished_at, f"Step {step.id!r} failed: {step.error.message}", "ERROR", step.id)
    else:
        gave = f"Step {step.id!r} gave {step.rows_out or 0:,} rows in {step.duration_s or 0:.2f} s."
        yield _line(run, step.finished_at, gave, "INFO", step.id)
    if step.warnings:
        broken = "Rule between(distance) is broken in 12 of 328,063 rows; its severity is warning."
        yield _line(run, step.finished_at, broken, "WARNING", step.id)


def _line(run: Run, at: datetime, message: str, level: LogLevel = "INFO", step_id: str | None = None) -> LogEntry:
    return LogEntry(
        ts=at,
        level=level,
        source="engine",
        run_id=run.id,
        pipeline_id=run.pipeline_id,
        step_id=step_id,
        logger="etlml.engine",
        message=message,
    )


def _validation(run: Run, check: StepRun, chance: random.Random) -> Validation:
    """What a check found: bad rows if it failed, a few odd ones if it warned."""
    bad = check.status == "failed"
    odd = chance.randint(0, 40) if check.warnings else 0
    score = 0.72 + chance.uniform(0, 0.06) if bad else 1.0 - (0.02 if odd else 0) - chance.choice((0, 0, 0.01))
    return Validation(
        name="check",
        pipeline_id=run.pipeline_id,
        run_id=run.id,
        step_id="check",
        dataset="flights",
        status="failed" if bad else "warning" if odd else "passed",
        score=score,
        row_count=_CHECKED,
        rules=[
            RuleResult(rule="not_null", column="flight", success=True, checked=_CHECKED),
            _between(odd),
            _in_set(bad),
        ],
        created_at=check.finished_at or run.created_at,
        duration_ms=chance.uniform(60, 180),
    )


def _between(odd: int) -> RuleResult:
    return RuleResult(
        rule="between",
        column="distance",
        arguments={"min": 1, "max": 10000, "mostly": 0.99},
        severity="warning",
        success=not odd,
        checked=_CHECKED,
        failed=odd,
        failed_fraction=odd / _CHECKED,
        observed={"min": 17, "max": 10_983 if odd else 4_983},
        sample=[{"flight": 51, "carrier": "HA", "distance": 10_983}] if odd else [],
    )


def _in_set(bad: bool) -> RuleResult:
    rows: Sequence[dict[str, object]] = (
        {"flight": 1545, "carrier": "UA", "origin": "ewr"},
        {"flight": 1714, "carrier": "UA", "origin": "lga"},
    )
    return RuleResult(
        rule="in_set",
        column="origin",
        arguments={"values": ["EWR", "JFK", "LGA"]},
        success=not bad,
        checked=_CHECKED,
        failed=1_204 if bad else 0,
        failed_fraction=0.00367 if bad else 0,
        sample=[*rows] if bad else [],
        message="1,204 rows have a value outside the set." if bad else "",
    )
