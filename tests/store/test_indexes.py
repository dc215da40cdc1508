"""Each hot query walks an index: the commands that the stores really send are explained by the server."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo import monitoring
from pymongo.database import Database

from etlml.clock import utc_now
from etlml.documents import (
    ApiKey,
    AuditEntry,
    Checkpoint,
    Experiment,
    LogEntry,
    MetricPoint,
    Pipeline,
    Run,
    StepRun,
    Trigger,
    User,
    Validation,
)
from etlml.store import Store
from etlml.store.client import connect
from etlml.store.collection import MAJORITY
from etlml.store.encoding import Document
from etlml.store.indexes import INDEXES, ensure_indexes, missing_indexes

START = utc_now() - timedelta(days=5)
RUNS = 1200
_EXPLAINED = {"find", "aggregate", "findAndModify", "update", "delete", "count"}
_NOT_FOR_EXPLAIN = {"lsid", "txnNumber", "$clusterTime", "$db", "$readPreference", "writeConcern", "maxTimeMS"}


class Recorder(monitoring.CommandListener):
    """Keeps the commands that a client sends."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _EXPLAINED:
            command = {k: v for k, v in event.command.items() if k not in _NOT_FOR_EXPLAIN}
            if "updates" in command:  # the server explains only one at a time
                command["updates"] = command["updates"][:1]
            self.commands.append(command)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(scope="module")
def seeded(mongo_server: str, recorder: Recorder) -> Iterator[Store]:
    """A store with enough in it that a scan of a whole collection would show."""
    with connect(mongo_server, event_listeners=[recorder]) as client:
        database = client.get_database("explained", write_concern=MAJORITY)
        store = Store(database)
        _seed(store, database)
        yield store
        client.drop_database("explained")


def _seed(store: Store, database: Database[Document]) -> None:
    statuses = ["success"] * 7 + ["failed"] * 2 + ["pending"]
    runs: list[Document] = []
    for number in range(RUNS):
        at = START + timedelta(minutes=number)
        run = Run(
            id=f"r{number:05}",
            pipeline_id=f"p{number % 40}",
            pipeline_name=f"pipeline {number % 40}",
            status=statuses[number % 10],  # type: ignore[arg-type]
            trigger="schedule" if number % 2 else "backfill",
            scheduled_for=at,
            backfill_id=None if number % 2 else f"b{number % 30}",
            created_at=at,
            duration_s=1.5,
            max_running=50,
            steps=[StepRun(id="read", type="extract")],
        )
        runs.append({"_id": run.id, **run.model_dump(), "slot": number % 50, "releases": 0})
    database["pipeline_runs"].insert_many(runs)
    for number in range(10):
        assert store.runs.claim(f"w{number % 2}", utc_now(), 30) is not None
    store.logs.add_many(
        LogEntry(
            ts=START + timedelta(seconds=number),
            level=("DEBUG", "INFO", "INFO", "WARNING", "ERROR")[number % 5],  # type: ignore[arg-type]
            source=("worker", "api")[number % 2],
            run_id=f"r{number % 50:05}" if number % 3 else None,
            pipeline_id=f"p{number % 40}" if number % 3 else None,
            message=f"line {number}",
        )
        for number in range(3000)
    )
    for number in range(60):
        at = START + timedelta(hours=number)
        trigger = Trigger(kind="webhook", token_hash=f"hash{number}")
        store.pipelines.add(Pipeline(id=f"p{number}", name=f"pipeline {number}", triggers=[trigger], created_at=at))
        experiment = Experiment(
            id=f"e{number}", name=f"e{number}", project=f"x{number % 3}", created_at=at, metrics={"f1": 0.5}
        )
        store.experiments.add(experiment)
        store.metric_points.add_many(
            MetricPoint(experiment_id=f"e{number}", key=key, step=step, value=0.5)
            for key in ("loss", "accuracy")
            for step in range(10)
        )
        store.models.register(f"m{number % 5}", algorithm="Ridge", file_path="x", created_at=at)
        store.validations.add(
            Validation(
                id=f"v{number}", name="v", run_id=f"r{number}", status="passed", score=1, row_count=1, created_at=at
            )
        )
        store.users.add(User(name=f"user{number}", created_at=at))
        store.api_keys.add(ApiKey(name="k", key_hash=f"h{number}", prefix="k", created_at=at))
        store.audit.add(AuditEntry(actor="ann", action="changed", kind="pipeline", key=f"p{number}", ts=at))
        store.checkpoints.put(Checkpoint(id=f"c{number}", run_id=f"r{number}", step_id="s", path="x", last_used_at=at))


LATER = START + timedelta(hours=10)
HOT: dict[str, Callable[[Store], object]] = {
    "claim": lambda s: s.runs.claim("w9", utc_now(), 0),
    "claim past busy": lambda s: s.runs._claim_past_busy("w9", utc_now(), 0),
    "heartbeat": lambda s: s.runs.heartbeat("w0", ["r00009", "r00019"], utc_now() + timedelta(hours=1)),
    "set steps": lambda s: s.runs.set_steps("r00009", 1, "w0", {0: {"status": "running"}}),
    "expired": lambda s: s.runs.expired(utc_now()),
    "take back": lambda s: s.runs.take_back("r00009", utc_now()),
    "cancel": lambda s: s.runs.request_cancel("r00109"),
    "active runs": lambda s: s.runs.active("p9"),
    "runs": lambda s: s.runs.list(),
    "runs, second page": lambda s: s.runs.list(cursor=s.runs.list().next_cursor),
    "runs of a pipeline": lambda s: s.runs.list(pipeline_id="p3"),
    "runs in a status": lambda s: s.runs.list(status="failed"),
    "runs in some statuses": lambda s: s.runs.list(status={"failed", "success"}),
    "runs of a time": lambda s: s.runs.list(since=START, until=LATER),
    "runs of a backfill": lambda s: s.runs.list(backfill_id="b6"),
    "retries of a run": lambda s: s.runs.list(retry_of="r00001"),
    "runs of a backfill by status": lambda s: s.runs.counts_by_backfill("b6"),
    "run statistics": lambda s: s.runs.stats(LATER),
    "ended runs for retention": lambda s: s.runs.ended_before(LATER, limit=20),
    "runs that ended since": lambda s: s.runs.ended_after(LATER),
    "outcome of the run before": lambda s: s.runs.outcome_before(s.runs.get("r01003")),
    "validations with trouble since": lambda s: s.validations.troubled_after(LATER),
    "notices that wait": lambda s: s.notices.waiting(["c1"]),
    "notices to send": lambda s: s.notices.take("c1", "b1"),
    "notices of a channel": lambda s: s.notices.list(channel_id="c1"),
    "durations": lambda s: s.runs.durations("p3"),
    "durations of steps": lambda s: s.runs.usual_step_seconds("p3"),
    "longest runs": lambda s: s.runs.longest(),
    "shortest runs": lambda s: s.runs.longest(shortest=True),
    "oldest runs": lambda s: s.runs.list(newest_first=False),
    "the run after": lambda s: s.runs.neighbour(s.runs.get("r00003"), later=True),
    "the run before": lambda s: s.runs.neighbour(s.runs.get("r00403"), later=False),
    "the success before": lambda s: s.runs.success_before(s.runs.get("r01003")),
    "runs by day": lambda s: s.runs.by_day(since=START),
    "runs of a pipeline by day": lambda s: s.runs.by_day(since=START, pipeline_id="p3"),
    "grid": lambda s: s.runs.grid("p3"),
    "logs": lambda s: s.logs.query(),
    "logs, second page": lambda s: s.logs.query(cursor=s.logs.query().next_cursor),
    "logs of a run": lambda s: s.logs.query(run_id="r00007"),
    "logs of a run, following": lambda s: s.logs.tail(run_id="r00007", after="0" * 22),
    "logs of a pipeline": lambda s: s.logs.query(pipeline_id="p4"),
    "errors": lambda s: s.logs.query(level="ERROR"),
    "warnings and above": lambda s: s.logs.query(level="WARNING"),
    "logs of a source": lambda s: s.logs.query(source="api"),
    "logs of a time": lambda s: s.logs.query(since=START, until=START + timedelta(minutes=10)),
    "text in logs of a time": lambda s: s.logs.query(q="line 7", since=START, until=START + timedelta(minutes=10)),
    "logs by level": lambda s: s.logs.counts_by_level(since=START),
    "logs by level in all": lambda s: s.logs.counts_by_level(),
    "logs by level of a pipeline": lambda s: s.logs.counts_by_level(pipeline_id="p4"),
    "log chart of days": lambda s: s.logs.histogram(START, START + timedelta(days=5)),
    "log chart of an hour": lambda s: s.logs.histogram(START, START + timedelta(hours=1), source="api"),
    "log chart of a pipeline": lambda s: s.logs.histogram(START, START + timedelta(days=5), pipeline_id="p4"),
    "log figures of a text": lambda s: s.logs.figures(START, START + timedelta(days=5), q="line", patience_s=3),
    "log figures of a text in a source": lambda s: s.logs.figures(
        START, START + timedelta(days=5), q="line", source="api", patience_s=3
    ),
    "log figures of a run": lambda s: s.logs.figures(START, START + timedelta(days=5), run_id="r00007", patience_s=3),
    "log figures of a group": lambda s: s.logs.figures(
        START, START + timedelta(days=5), group=s.logs.groups()[0].key, patience_s=3
    ),
    "text in logs by pieces": lambda s: s.logs.search(
        since=START, until=START + timedelta(days=5), q="line 7", level="INFO", patience_s=3
    ),
    "log groups of a text": lambda s: s.logs.groups_so_far(START, START + timedelta(days=5), q="line", patience_s=3),
    "log groups": lambda s: s.logs.groups(since=START + timedelta(minutes=7)),
    "log groups of a run": lambda s: s.logs.groups(run_id="r00007"),
    "lines of a log group": lambda s: s.logs.query(group=s.logs.groups()[0].key),
    "all runs by status": lambda s: s.runs.counts_by_status(),
    "log retention": lambda s: s.logs.delete_before(START),
    "pipelines": lambda s: s.pipelines.list(),
    "pipelines by name": lambda s: s.pipelines.list(sort="name"),
    "fires of a schedule": lambda s: s.runs.fires("p3", limit=5),
    "older fires of a schedule": lambda s: s.runs.fires("p3", before=LATER),
    "missed fires of a schedule": lambda s: s.runs.fires("p3", status="missed", unlike="skip"),
    "outcomes of moments": lambda s: s.runs.outcomes("p3", START, LATER),
    "pipeline by name or id": lambda s: s.pipelines.find("pipeline 3"),
    "pipeline by webhook": lambda s: s.pipelines.find_by_webhook("hash3"),
    "version of a pipeline": lambda s: s.pipelines.version("p3", 1),
    "experiments": lambda s: s.experiments.list(),
    "experiments of a project": lambda s: s.experiments.list(project="x1"),
    "best experiments": lambda s: s.experiments.best("f1"),
    "metric series": lambda s: s.metric_points.series("e3", "loss"),
    "metric keys": lambda s: s.metric_points.keys("e3"),
    "model latest": lambda s: s.models.find("m1"),
    "model version": lambda s: s.models.find("m1", "v1.3"),
    "model names": lambda s: s.models.names(),
    "model registry": lambda s: s.models.registry(after="m1"),
    "validations": lambda s: s.validations.list(),
    "validations of a run": lambda s: s.validations.list(run_id="r3"),
    "user by name": lambda s: s.users.find("user7"),
    "API key": lambda s: s.api_keys.by_hash("h7"),
    "audit of a thing": lambda s: s.audit.list(kind="pipeline", key="p3"),
    "audit for retention": lambda s: s.audit.delete_before(START),
    "backfills for retention": lambda s: s.backfills.delete_ended_before(START),
    "settings left by pipelines": lambda s: s.settings.keys("arrivals:", "draft."),
    "refused webhook calls": lambda s: s.webhook_calls.of("p3"),
    "least used checkpoints": lambda s: s.checkpoints.least_used(limit=5),
    "checkpoints by key": lambda s: s.checkpoints.use_many(["c1", "c2"], utc_now()),
    "session": lambda s: s.sessions.get("t"),
    "idempotency key": lambda s: s.idempotency.reserve("k", "i"),
    "settings": lambda s: s.settings.get("a"),
}


def stages(plan: Any) -> Iterator[str]:
    """The names of all stages of a plan."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for key, value in plan.items():
            if key != "rejectedPlans":
                yield from stages(value)
    elif isinstance(plan, list):
        for each in plan:
            yield from stages(each)


@pytest.mark.parametrize("name", HOT)
def test_hot_query_walks_an_index(seeded: Store, recorder: Recorder, name: str) -> None:
    recorder.commands.clear()
    HOT[name](seeded)
    commands = list(recorder.commands)
    assert commands
    for command in commands:
        plan = seeded.database.command({"explain": command, "verbosity": "queryPlanner"})
        found = set(stages(plan))
        assert "COLLSCAN" not in found, f"{command} scans its collection"
        assert "SORT" not in found, f"{command} sorts in memory"


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("runs", 51),
        ("fires of a schedule", 5),
        ("runs of a pipeline", 51),
        ("errors", 101),
        ("claim", 1),
        ("logs of a run", 101),
    ],
)
def test_hot_query_reads_only_what_it_gives(seeded: Store, recorder: Recorder, name: str, most: int) -> None:
    recorder.commands.clear()
    HOT[name](seeded)
    command = recorder.commands[0]
    plan = seeded.database.command({"explain": command, "verbosity": "executionStats"})
    assert plan["executionStats"]["totalDocsExamined"] <= most


@pytest.mark.parametrize(
    "name", ["all runs by status", "run statistics", "logs by level of a pipeline", "log chart of a pipeline"]
)
def test_figures_are_read_from_an_index_alone(seeded: Store, recorder: Recorder, name: str) -> None:
    recorder.commands.clear()
    HOT[name](seeded)
    for command in list(recorder.commands):
        plan = seeded.database.command({"explain": command, "verbosity": "queryPlanner"})
        assert "FETCH" not in set(stages(plan)), f"{command} reads documents"


def test_all_indexes_are_there_and_making_them_again_changes_nothing(mongo_database: Database[Document]) -> None:
    before = {name: mongo_database[name].index_information() for name in INDEXES}
    ensure_indexes(mongo_database)
    assert {name: mongo_database[name].index_information() for name in INDEXES} == before
    assert missing_indexes(mongo_database) == []


def test_an_index_of_a_former_version_is_replaced(mongo_client: Any) -> None:
    database = mongo_client.get_database("old")
    database["pipelines"].create_index([("name", 1)], name="name")  # not unique
    assert "pipelines.newest" in missing_indexes(database)
    ensure_indexes(database)
    assert database["pipelines"].index_information()["name"]["unique"]
    assert missing_indexes(database) == []
    mongo_client.drop_database("old")


def test_the_retention_that_people_set_survives_a_restart(real_store: Store) -> None:
    real_store.logs.keep_days(7)
    ensure_indexes(real_store.database)
    index = real_store.database["logs"].index_information()["expires"]
    assert index["expireAfterSeconds"] == 7 * 86400
    real_store.logs.keep_days(30)
