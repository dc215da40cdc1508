"""A database after a long time of use, written in bulk: what the studio's pages are measured on."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from etlml.clock import utc_now
from etlml.documents import (
    AuditEntry,
    Document,
    ErrorInfo,
    Experiment,
    MetricPoint,
    Model,
    Pipeline,
    RuleResult,
    Run,
    ScheduleOptions,
    Step,
    StepRun,
    Stored,
    Validation,
    Worker,
)
from etlml.store import Store
from etlml.store.encoding import encoded
from etlml.store.log_filter import log_id
from etlml.store.log_groups import group_of
from etlml.store.models import version_number

RUNS, EXPERIMENTS, LINES, VALIDATIONS, MODELS = 10_000, 5_000, 1_000_000, 2_000, 1_000
PIPELINES, STEPS, DAYS, LOG_DAYS, POINTS = 24, 8, 90, 29, 20
_BATCH = 5_000
_COUNTED = ("ts", "level", "source", "pipeline_id", "group", "message")
_TYPES = ("extract", "extract", "transform", "transform", "validate", "load", "load", "train")
_MESSAGES = (
    ("DEBUG", 20, "Step 'clean' started; the input has {n} rows."),
    ("INFO", 40, "Step 'clean' gave {n} rows in 0.{k} s."),
    ("INFO", 30, "GET /api/runs/{x} 200 in {k} ms"),
    ("WARNING", 5, "Rule between(distance) is broken in {k} of {n} rows; its severity is warning."),
    ("WARNING", 2, "The file 'in/orders_{k}.csv' was read with {k} rejected lines."),
    (
        "ERROR",
        2,
        "Step 'load' failed: could not write /data/out/{x}/part-{k}.parquet: disk full\n" + "  in a call\n" * 12,
    ),
    ("ERROR", 1, "Connection to db-{k}.internal:5432 timed out after {k} s."),
)


def seed(store: Store, *, lines: int = LINES) -> None:
    """Fill an empty database."""
    chance, now = random.Random(4), utc_now()
    pipelines = [_pipeline(number, now) for number in range(PIPELINES)]
    for pipeline in pipelines:
        store.pipelines.add(pipeline, author="bench")
    runs = [_run(number, pipelines[number % PIPELINES], chance, now) for number in range(RUNS)]
    _insert(store, runs)
    for pipeline, run in zip(pipelines, runs[:PIPELINES], strict=True):
        store.pipelines.mark_run(pipeline.id, run)
    _insert(store, _experiments(pipelines, chance, now))
    _insert(store, _points(chance, now))
    _insert(store, _models(chance, now))
    _insert(store, _validations(runs, chance))
    _insert(store, _audit(pipelines, chance, now))
    _store_lines(store, _lines(runs, lines, chance, now))
    _keep_alive(store, pipelines[0], now)


def _keep_alive(store: Store, pipeline: Pipeline, now: datetime) -> None:
    """A worker that counts as alive for a day, with a run that goes on for as long."""
    later = now + timedelta(days=1)
    worker = Worker(id="bench", host="bench", pid=1, slots=4, running=["1"], started_at=now, heartbeat_at=later)
    store.workers.beat(worker)
    steps = [StepRun(id=f"s{n}", name=f"step {n}", type=kind) for n, kind in enumerate(_TYPES)]
    steps[0] = steps[0].model_copy(update={"status": "running", "started_at": now})
    store.runs.add(Run(pipeline_id=pipeline.id, pipeline_name=pipeline.name, created_at=now, steps=steps))
    store.runs.claim("bench", now, timedelta(days=1).total_seconds())


def _insert(store: Store, documents: Sequence[Stored] | Iterator[Stored]) -> None:
    for batch in _batches(documents):
        store.database[type(batch[0]).collection].insert_many([_plain(each) for each in batch], ordered=False)


def _plain(document: Stored) -> dict[str, Any]:
    if isinstance(document, MetricPoint):
        return document.model_dump()
    plain = encoded(document)
    return plain | {"number": version_number(document.version)} if isinstance(document, Model) else plain


def _batches(documents: Any) -> Iterator[list[Any]]:
    batch: list[Document] = []
    for each in documents:
        batch.append(each)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _pipeline(number: int, now: datetime) -> Pipeline:
    steps = [
        Step(id=f"s{n}", name=f"step {n}", type=kind, needs=[f"s{n - 1}"] if n else [], config=_config(kind, n))
        for n, kind in enumerate(_TYPES)
        if kind != "extract" or n == 0
    ]
    steps = [step.model_copy(update={"needs": [steps[at - 1].id] if at else []}) for at, step in enumerate(steps)]
    return Pipeline(
        id=f"p{number}",
        name=f"pipeline-{number}",
        description=f"Orders of region {number}, cleaned, checked and kept",
        steps=steps,
        schedule="*/20 * * * *" if number % 2 else None,
        options=ScheduleOptions(paused=True),
        tags=[f"region-{number % 5}"],
        created_at=now - timedelta(days=DAYS, minutes=number),
    )


def _config(kind: str, number: int) -> dict[str, Any]:
    configs: dict[str, dict[str, Any]] = {
        "extract": {"source": {"kind": "inline", "rows": [{"n": 1, "late": 0}, {"n": 2, "late": 1}]}},
        "transform": {"ops": [{"op": "derive", "columns": {f"m{number}": "n * 2"}}]},
        "validate": {"rules": [{"rule": "not_null", "column": "n"}]},
        "load": {"sink": {"kind": "file", "path": f"out/{number}.parquet"}, "mode": "overwrite"},
        "train": {"target": "late", "algorithm": "random_forest_classifier"},
    }
    return configs[kind]


def _run(number: int, pipeline: Pipeline, chance: random.Random, now: datetime) -> Run:
    at = now - timedelta(days=DAYS * number / RUNS, minutes=2)
    status = chance.choices(("success", "failed", "cancelled", "missed"), (84, 11, 3, 2))[0]
    error = ErrorInfo(step="s6", type="LoadFailed", message=f"The disk is full after {number} rows. Free some space.")
    took = 0.0 if status == "missed" else chance.uniform(5, 90)
    steps = [
        StepRun(
            id=f"s{n}",
            name=f"step {n}",
            type=kind,
            status="failed" if status == "failed" and n == 6 else "success",
            attempts=1,
            started_at=at + timedelta(seconds=took * n / STEPS),
            finished_at=at + timedelta(seconds=took * (n + 1) / STEPS),
            rows_in=number * 10,
            rows_out=number * 9,
            bytes=number * 400,
            error=error if status == "failed" and n == 6 else None,
            metrics={"seconds": took / STEPS, "columns": ["a", "b", "c", "d"], "query": "SELECT * FROM input " * 10},
        )
        for n, kind in enumerate(_TYPES)
    ]
    return Run(
        id=f"r{number:06}",
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        status=status,
        trigger="schedule" if pipeline.schedule else "manual",
        scheduled_for=at if pipeline.schedule else None,
        reason="The computer was off." if status == "missed" else None,
        created_at=at,
        started_at=None if status == "missed" else at,
        finished_at=at + timedelta(seconds=took),
        duration_s=took,
        attempt=1,
        error=error if status == "failed" else None,
        warnings=number % 9 == 0,
        steps=[] if status == "missed" else steps,
    )


def _experiments(pipelines: Sequence[Pipeline], chance: random.Random, now: datetime) -> Iterator[Experiment]:
    for number in range(EXPERIMENTS):
        at = now - timedelta(days=DAYS * number / EXPERIMENTS)
        score = chance.uniform(0.6, 0.95)
        yield Experiment(
            id=f"e{number}",
            name=f"late-{number % 40}",
            project=f"project-{number % 8}",
            pipeline_id=pipelines[number % PIPELINES].id,
            run_id=f"r{number:06}",
            status="failed" if number % 17 == 0 else "completed",
            parameters={"n_estimators": 50 + number % 7 * 50, "max_depth": number % 12, "algorithm": "RandomForest"},
            metrics={"accuracy": score, "f1": score - 0.05, "roc_auc": score + 0.04},
            tags=[f"tag-{number % 6}"],
            created_at=at,
            finished_at=at + timedelta(seconds=40),
            environment={"python": "3.11"},
            artifacts={
                "task": "classification",
                "confusion_matrix": {"labels": ["0", "1"], "matrix": [[900, 40], [60, 300]]},
                "feature_importances": {f"feature_{n}": 1 / (n + 1) for n in range(40)},
            },
        )


def _points(chance: random.Random, now: datetime) -> Iterator[MetricPoint]:
    for number in range(EXPERIMENTS):
        at = now - timedelta(days=DAYS * number / EXPERIMENTS)
        for step in range(POINTS):
            yield MetricPoint(experiment_id=f"e{number}", key="accuracy", step=step, value=chance.random(), ts=at)


def _models(chance: random.Random, now: datetime) -> Iterator[Model]:
    for number in range(MODELS):
        name, version = number % 50, number // 50
        yield Model(
            id=f"m{number}",
            name=f"model-{name}",
            version=f"v1.{version}",
            experiment_id=f"e{number}",
            algorithm="RandomForestClassifier",
            task="classification",
            metrics={"accuracy": chance.uniform(0.6, 0.95), "f1": chance.uniform(0.5, 0.9)},
            parameters={"n_estimators": 100},
            file_path="models/none.skops",
            created_at=now - timedelta(days=DAYS * (MODELS - number) / MODELS),
            status="deployed" if version == 19 else "registered",
            aliases=["production"] if version == 19 else [],
            signature={"inputs": [{"name": f"feature_{n}", "type": "DOUBLE"} for n in range(12)]},
        )


def _validations(runs: Sequence[Run], chance: random.Random) -> Iterator[Validation]:
    for run in runs[:: RUNS // VALIDATIONS]:
        bad = chance.random() < 0.1
        rules = [
            RuleResult(rule="between", column=f"c{n}", success=not (bad and n == 0), checked=1000, failed=bad * 12)
            for n in range(6)
        ]
        yield Validation(
            name="check",
            pipeline_id=run.pipeline_id,
            run_id=run.id,
            step_id="s4",
            dataset=f"orders-{len(run.id) % 4}",
            status="failed" if bad else "passed",
            score=chance.uniform(0.7, 0.85) if bad else 1.0,
            row_count=1000,
            rules=rules,
            profile={"columns": {f"c{n}": {"nulls": n, "distinct": 900, "top": ["a", "b", "c"]} for n in range(20)}},
            created_at=run.created_at,
        )


def _audit(pipelines: Sequence[Pipeline], chance: random.Random, now: datetime) -> Iterator[AuditEntry]:
    for number in range(5_000):
        pipeline = chance.choice(pipelines)
        yield AuditEntry(
            ts=now - timedelta(days=DAYS * number / 5_000),
            actor=chance.choice(("ada", "grace", "alan")),
            action=chance.choice(("started", "changed", "created")),
            kind=chance.choice(("run", "pipeline")),
            key=pipeline.id,
            details={"pipeline": pipeline.name},
        )


def _store_lines(store: Store, lines: Iterator[dict[str, Any]]) -> None:
    """As LogStore.add_many does it, but counted once for all."""
    counted: list[dict[str, Any]] = []
    for batch in _batches(lines):
        store.database["logs"].insert_many(batch, ordered=False)
        counted += [{name: each.get(name) for name in _COUNTED} for each in batch]
        if len(counted) > 40 * _BATCH:
            store.logs.count(counted)
            counted = []
    store.logs.count(counted)


def _lines(runs: Sequence[Run], number: int, chance: random.Random, now: datetime) -> Iterator[dict[str, Any]]:
    """Two thirds of the lines belong to the runs of the last days, the others come from everywhere at any time."""
    recent = [run for run in runs if run.created_at > now - timedelta(days=LOG_DAYS)]
    kinds = chance.choices(_MESSAGES, [weight for _, weight, _ in _MESSAGES], k=997)
    for at in range(number):
        share = at / number
        level, _, text = kinds[at % 997]
        run = recent[int(share * len(recent))] if at % 3 else None
        ts = now - timedelta(days=LOG_DAYS * (1 - share))
        line: dict[str, Any] = {
            "_id": log_id(ts),
            "ts": ts,
            "level": level,
            "source": ("api", "ui", "worker")[at % 9 // 3],
            "logger": "etlml.engine",
            "message": text.format(n=at, k=at % 997, x=f"{at:08x}"),
            "fields": {},
        }
        if run is not None:
            line |= {
                "source": "worker",
                "run_id": run.id,
                "pipeline_id": run.pipeline_id,
                "step_id": f"s{at % STEPS}",
            }
        if key := group_of(level, line["source"], line["message"]):
            line["group"] = key
        yield line
