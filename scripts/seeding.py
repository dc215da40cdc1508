"""A database as it looks after some weeks of use, for screenshots and tests: pipelines, runs, experiments, models, checks, logs.

Everything goes through the stores; nothing is executed. The same seed gives the same documents but for their times.
"""

import math
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from etlml.clock import utc_now
from etlml.documents import (
    DataInfo,
    ErrorInfo,
    Experiment,
    LogEntry,
    MetricPoint,
    Pipeline,
    RuleResult,
    Run,
    Step,
    StepRun,
    Validation,
)
from etlml.store import Store
from scripts.seeding_people import seed_people
from scripts.seeding_pipelines import FLEET, FLIGHTS, PENGUINS, SUMMARY, WEATHER
from scripts.seeding_present import seed_present

SEED = 7
_ROWS = {"flights": 336_776, "planes": 3_322, "airlines": 16, "clean": 328_063, "check": 328_063, "save": 328_063}
_ROWS |= {"database": 328_063, "model": 328_063, "penguins": 344, "measured": 333, "species": 333, "by_day": 365}
_ROWS |= {"weather": 26_115, "by_hour": 26_114, "by_maker": 35}
_FAILURES = (
    (
        "check",
        "ValidationFailed",
        "Rule in_set(origin) is broken: 1,204 of 328,063 rows (0.37 %) have another value. See the sample rows.",
    ),
    (
        "flights",
        "DataUnreadable",
        "There is no file 'examples/flights.parquet'. Did you mean 'examples/flights_2013.parquet'?",
    ),
    ("clean", "ColumnMissing", "The input has no column 'dep_dely'. Did you mean 'dep_delay'?"),
)


def seed(store: Store, *, days: int = 21, now: datetime | None = None) -> dict[str, Pipeline]:
    """Fill an empty database; the pipelines by name."""
    now = now or utc_now()
    pipelines = seed_past(store, days=days, now=now)
    seed_present(store, pipelines, now)
    return pipelines


def seed_past(store: Store, *, days: int, now: datetime) -> dict[str, Pipeline]:
    """What has ended: nothing of it would be taken up by a worker."""
    chance = random.Random(SEED)
    pipelines = {one.name: one for one in _pipelines()}
    for pipeline in pipelines.values():
        store.pipelines.add(pipeline, author="examples")
    for pipeline in pipelines.values():
        for hours in _hours(pipeline, days, chance):
            run = _run(pipeline, now - timedelta(hours=hours), chance)
            store.runs.add(run)
            for state in (run.model_copy(update={"status": "running"}), run):
                store.pipelines.mark_run(pipeline.id, state)
            _logs(store, run)
            _validation(store, pipeline, run, chance)
    _experiments(store, pipelines, now, chance)
    seed_people(store, now)
    return pipelines


def _pipelines() -> Sequence[Pipeline]:
    return (
        _pipeline(
            "flights",
            FLIGHTS,
            "New York flights of 2013: clean, join, check, save, learn who is late",
            ["example", "ml"],
            "0 6 * * 1-5",
            {"min_distance": 1},
        ),
        _pipeline(
            "penguins", PENGUINS, "Which penguin is it? A small model on a small file", ["example", "ml"], None, {}
        ),
        _pipeline("daily-summary", SUMMARY, "Flights a day, every morning", ["example"], "30 5 * * *", {}),
        _pipeline("weather", WEATHER, "Hourly weather at the three airports", ["weather"], "15 */3 * * *", {}),
        _pipeline(
            "fleet-report", FLEET, "Planes and seats by maker, for the Monday meeting", ["report"], "0 7 * * 1", {}
        ),
    )


def _pipeline(
    name: str, steps: Sequence[dict[str, Any]], text: str, tags: list[str], schedule: str | None, params: dict[str, Any]
) -> Pipeline:
    return Pipeline(
        name=name,
        description=text,
        steps=[Step(**step) for step in steps],
        tags=tags,
        schedule=schedule,
        timezone="Europe/Berlin",
        params=params,
    )


def _hours(pipeline: Pipeline, days: int, chance: random.Random) -> list[float]:
    each_day = {"flights": 3, "weather": 2, "fleet-report": 0}.get(pipeline.name, 1)
    return sorted(
        (day * 24 + chance.uniform(0.6, 23) for day in range(days) for _ in range(chance.randint(0, each_day + 1))),
        reverse=True,
    )


def _run(pipeline: Pipeline, at: datetime, chance: random.Random) -> Run:
    failure = chance.choice(_FAILURES) if pipeline.name == "flights" and chance.random() < 0.14 else None
    steps, clock, broken = [], at + timedelta(milliseconds=40), set[str]()
    needs = {step.id: step.needs or [] for step in pipeline.steps}
    for step in pipeline.steps:
        if broken.intersection(needs[step.id]) or (broken and step.needs is None):
            steps.append(StepRun(id=step.id, name=step.name, type=step.type, status="skipped"))
            broken.add(step.id)
            continue
        seconds = chance.uniform(0.05, 0.5) * (12 if step.type == "train" else 1)
        error = (
            ErrorInfo(step=step.id, type=failure[1], message=failure[2]) if failure and failure[0] == step.id else None
        )
        rows = _ROWS.get(step.id)
        steps.append(
            StepRun(
                id=step.id,
                name=step.name,
                type=step.type,
                status="failed" if error else "success",
                attempts=1,
                started_at=clock,
                finished_at=clock + timedelta(seconds=seconds),
                rows_in=None if step.type == "extract" else _ROWS.get((needs[step.id] or [""])[0], rows),
                rows_out=None if error else rows,
                bytes=None if error or rows is None else rows * 41,
                error=error,
                warnings=1 if step.type == "validate" and chance.random() < 0.2 else 0,
            )
        )
        if error:
            broken.add(step.id)
        if step.type != "extract":
            clock += timedelta(seconds=seconds)
    end = max(step.finished_at for step in steps if step.finished_at)
    first_error = next((step.error for step in steps if step.error), None)
    trigger = "schedule" if pipeline.schedule and chance.random() < 0.6 else "manual"
    return Run(
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        status="failed" if first_error else "cancelled" if chance.random() < 0.03 else "success",
        trigger=trigger,  # type: ignore[arg-type]
        triggered_by="scheduler" if trigger == "schedule" else "ada",
        scheduled_for=at if trigger == "schedule" else None,
        created_at=at,
        started_at=at + timedelta(milliseconds=30),
        finished_at=end,
        duration_s=(end - at).total_seconds(),
        params=pipeline.params,
        steps=steps,
        error=first_error,
        warnings=sum(step.warnings for step in steps),
        attempt=1,
    )


def _logs(store: Store, run: Run) -> None:
    def entry(at: datetime, message: str, level: str = "INFO", step: str | None = None) -> LogEntry:
        return LogEntry(
            ts=at,
            level=level,
            source="engine",
            run_id=run.id,
            pipeline_id=run.pipeline_id,
            step_id=step,
            logger="etlml.engine",
            message=message,
        )  # type: ignore[arg-type]

    lines = [entry(run.created_at, f"Run of {run.pipeline_name!r} started ({run.trigger}).")]
    for step in run.steps:
        if step.started_at is None or step.finished_at is None:
            continue
        lines.append(entry(step.started_at, f"Step {step.id!r} started.", "DEBUG", step.id))
        if step.error:
            lines.append(entry(step.finished_at, f"Step {step.id!r} failed: {step.error.message}", "ERROR", step.id))
        else:
            lines.append(
                entry(
                    step.finished_at,
                    f"Step {step.id!r} gave {step.rows_out or 0:,} rows in {step.duration_s or 0:.2f} s.",
                    "INFO",
                    step.id,
                )
            )
        if step.warnings:
            lines.append(
                entry(
                    step.finished_at,
                    "Rule between(distance) is broken in 12 of 328,063 rows; its severity is warning.",
                    "WARNING",
                    step.id,
                )
            )
    lines.append(
        entry(
            run.finished_at or run.created_at,
            f"Run of {run.pipeline_name!r} ended: {run.status}.",
            "ERROR" if run.error else "INFO",
        )
    )
    store.logs.add_many(lines)


def _validation(store: Store, pipeline: Pipeline, run: Run, chance: random.Random) -> None:
    check = next((step for step in run.steps if step.type == "validate" and step.status in ("success", "failed")), None)
    if check is None:
        return
    bad = check.status == "failed"
    late = chance.randint(0, 40) if check.warnings else 0
    rules = [
        RuleResult(rule="not_null", column="flight", success=True, checked=328_063),
        RuleResult(
            rule="between",
            column="distance",
            arguments={"min": 1, "max": 10000, "mostly": 0.99},
            severity="warning",
            success=not late,
            checked=328_063,
            failed=late,
            failed_fraction=late / 328_063,
            observed={"min": 17, "max": 10_983 if late else 4_983},
            sample=[{"flight": 51, "carrier": "HA", "distance": 10_983}] if late else [],
        ),
        RuleResult(
            rule="in_set",
            column="origin",
            arguments={"values": ["EWR", "JFK", "LGA"]},
            success=not bad,
            checked=328_063,
            failed=1_204 if bad else 0,
            failed_fraction=0.00367 if bad else 0,
            sample=[
                {"flight": 1545, "carrier": "UA", "origin": "ewr"},
                {"flight": 1714, "carrier": "UA", "origin": "lga"},
            ]
            if bad
            else [],
            message="1,204 rows have a value outside the set." if bad else "",
        ),
    ]
    score = 0.72 + chance.uniform(0, 0.06) if bad else 1.0 - (0.02 if late else 0) - chance.choice((0, 0, 0.01))
    store.validations.add(
        Validation(
            name="check",
            pipeline_id=pipeline.id,
            run_id=run.id,
            step_id="check",
            dataset="flights",
            status="failed" if bad else "warning" if late else "passed",
            score=score,
            row_count=328_063,
            rules=rules,
            created_at=check.finished_at or run.created_at,
            duration_ms=chance.uniform(60, 180),
        )
    )


def _experiments(store: Store, pipelines: dict[str, Pipeline], now: datetime, chance: random.Random) -> None:
    grid = [(trees, depth) for trees in (50, 100, 200) for depth in (6, 12, None)]
    for number, (trees, depth) in enumerate(grid):
        began = now - timedelta(days=18 - 2 * number, hours=chance.uniform(0, 9))
        best = (
            0.78
            + 0.035 * math.log10(trees)
            + (0.02 if depth is None else depth * 0.0012)
            + chance.uniform(-0.008, 0.008)
        )
        experiment = Experiment(
            name="late-flight",
            project="flights",
            pipeline_id=pipelines["flights"].id,
            step_id="model",
            status="completed",
            parameters={
                "algorithm": "RandomForestClassifier",
                "n_estimators": trees,
                "max_depth": depth,
                "test_size": 0.2,
                "seed": 0,
            },
            metrics={"accuracy": best, "f1": best - 0.05, "roc_auc": min(best + 0.06, 0.99), "log_loss": 1 - best},
            created_at=began,
            finished_at=began + timedelta(seconds=trees / 6),
            tags=["baseline"] if number == 0 else [],
            data=DataInfo(path="runs/clean.parquet", rows=328_063, fingerprint="9f2c"),
            environment={"python": "3.11", "scikit-learn": "1.9.0"},
            artifacts={
                "confusion_matrix": {"labels": ["0", "1"], "matrix": [[47_912, 2_204], [6_633, 8_864]]},
                "feature_importances": {
                    "dep_delay": 0.61,
                    "hour": 0.09,
                    "distance": 0.08,
                    "carrier": 0.08,
                    "month": 0.07,
                    "dest": 0.04,
                    "origin": 0.03,
                },
                "task": "classification",
            },
        )
        store.experiments.add(experiment)
        store.metric_points.add_many(
            MetricPoint(
                experiment_id=experiment.id,
                key=key,
                step=step,
                value=final - 0.3 * math.exp(-step / 12) + chance.uniform(-0.004, 0.004),
            )
            for key, final in (("accuracy", best), ("f1", best - 0.05))
            for step in range(1, 51)
        )
        if number % 3 == 2:
            model = store.models.register(
                "late-flight",
                experiment_id=experiment.id,
                algorithm="RandomForestClassifier",
                task="classification",
                metrics=experiment.metrics,
                parameters=experiment.parameters,
                file_path="models/late-flight/model.skops",
                description="",
                signature={
                    "inputs": [
                        {"name": "month", "type": "BIGINT"},
                        {"name": "hour", "type": "BIGINT"},
                        {"name": "distance", "type": "BIGINT"},
                        {"name": "carrier", "type": "VARCHAR", "categories": ["AA", "B6", "DL", "EV", "UA"]},
                        {"name": "origin", "type": "VARCHAR", "categories": ["EWR", "JFK", "LGA"]},
                        {"name": "dep_delay", "type": "DOUBLE"},
                    ],
                    "output": {"name": "late", "type": "INTEGER", "classes": [0, 1]},
                },
            )
            if number == 8:
                store.models.set_status("late-flight", model.version, "deployed")
                store.models.set_aliases("late-flight", model.version, ["production"])
            store.experiments.update(experiment.id, {"model_name": model.name, "model_version": model.version})
