"""The documents that MongoDB holds and REST shows (times are aware UTC).

Field names here are the contract: the same in Python, in MongoDB, in REST and on screen.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_serializer

from etlml.clock import new_id, utc_now

StepType = Literal["extract", "transform", "load", "validate", "train"]
PipelineStatus = Literal["idle", "running", "success", "failed", "pending"]
RunStatus = Literal["pending", "running", "success", "failed", "cancelled", "missed"]
StepStatus = Literal["pending", "running", "success", "failed", "skipped", "cached"]
TriggerKind = Literal["manual", "schedule", "api", "backfill", "retry", "webhook", "file", "pipeline"]
ExperimentStatus = Literal["running", "completed", "failed", "cancelled"]
ModelStatus = Literal["registered", "deployed", "archived"]
ValidationStatus = Literal["passed", "warning", "failed"]
Severity = Literal["info", "warning", "error", "critical"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
NotificationEvent = Literal[
    "run_failed",
    "run_recovered",
    "run_succeeded",
    "schedule_missed",
    "validation_failed",
    "validation_warned",
    "quarantine",
]
Missed = Literal["latest", "all", "none"]
Overlap = Literal["skip", "queue", "cancel"]
RefusalReason = Literal["unknown", "paused", "body", "rate", "other"]
Role = Literal["viewer", "editor", "operator", "admin"]

FINAL_RUN_STATUSES: frozenset[str] = frozenset({"success", "failed", "cancelled", "missed"})
FINAL_STEP_STATUSES: frozenset[str] = frozenset({"success", "failed", "skipped", "cached"})
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$"
STEP_ID_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$"
SECRET_NAMED = re.compile(r"\$\{secret\.[A-Za-z_]\w*\}")
PATTERN_WORDS = {
    NAME_PATTERN: "begin with a letter of A to Z or a digit, and use at most 100 letters, digits, blanks, _ . and -",
    STEP_ID_PATTERN: "begin with a letter of A to Z or _, and use at most 63 letters, digits, _ and -",
}


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Time = Annotated[datetime, AfterValidator(_aware)]


class Document(BaseModel):
    """Base of every document and part of one: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False)


class Stored(Document):
    """Base of the documents that are read back: fields of a newer version are passed over, not refused."""

    model_config = ConfigDict(extra="ignore")
    collection: ClassVar[str]


class Position(Document):
    """Where a step stands on the canvas, in canvas units."""

    x: float = 0
    y: float = 0


class Step(Document):
    """One step of a pipeline. ``config`` is typed by ``type`` (see etlml.steps)."""

    id: str = Field(pattern=STEP_ID_PATTERN)
    name: str = ""
    type: StepType
    config: dict[str, Any] = Field(default_factory=dict)
    position: Position | None = None
    needs: list[str] | None = Field(
        None, description="Ids of the steps whose results this one takes; left out: the step before."
    )
    validations: list[dict[str, Any]] = Field(default_factory=list, description="Rules checked on this step's result.")
    retries: int = Field(0, ge=0, le=20)
    timeout_s: float | None = Field(None, gt=0)
    on_failure: Literal["stop", "continue"] = "stop"
    cache: bool = Field(True, description="Whether an unchanged result of an earlier run may be used again.")

    def model_post_init(self, context: Any, /) -> None:
        if not self.name:
            self.name = self.id


class ScheduleOptions(Document):
    """What happens around the fires of a schedule; None is as the installation says at the time of the fire."""

    paused: bool = False
    missed: Missed | None = Field(None, description="Which fires that nobody was there for are made up.")
    missed_limit: int | None = Field(
        None, ge=1, le=1000, description="At most so many missed fires are made up with 'all'."
    )
    overlap: Overlap | None = Field(None, description="What a fire does while a run is going on.")
    too_late_after_s: float | None = Field(None, gt=0, description="A fire later than this is recorded as missed.")


class Trigger(Document):
    """What starts runs beside the schedule: a webhook, the arrival of a file, the success of another pipeline."""

    kind: Literal["webhook", "file", "pipeline"]
    path: str | None = Field(None, description="file: a glob; a new or changed match starts a run.")
    pipeline: str | None = Field(None, description="pipeline: name or id of the pipeline whose success starts a run.")
    token_hash: str | None = Field(None, description="webhook: SHA-256 of the secret token; never shown.")

    @field_serializer("token_hash", when_used="json")
    def _unseen(self, value: str | None) -> None:
        """What leaves the platform is JSON, and the digest stays: the store keeps documents in Python's form."""


class PipelineDraft(Document):
    """What a person writes (YAML, JSON, canvas); the rest of a pipeline is kept by the platform."""

    name: str = Field(pattern=NAME_PATTERN)
    description: str = ""
    steps: list[Step] = Field(default_factory=list, max_length=1000)
    schedule: str | None = Field(None, description="Debian cron, or @hourly @daily @weekly @monthly @yearly.")
    timezone: str = "UTC"
    params: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    options: ScheduleOptions = Field(default_factory=ScheduleOptions)
    triggers: list[Trigger] = Field(default_factory=list)
    max_running: int = Field(1, ge=1, le=100, description="Runs of this pipeline that may go on at once.")
    priority: int = Field(0, ge=-100, le=100, description="Higher starts first when slots are scarce.")
    timeout_s: float | None = Field(None, gt=0, description="Time limit of a whole run.")


class Pipeline(Stored, PipelineDraft):
    """A stored pipeline."""

    model_config = ConfigDict(extra="ignore")  # said again: the draft's "forbid" would win otherwise
    collection = "pipelines"
    id: str = Field(default_factory=new_id)
    status: PipelineStatus = "idle"
    version: int = 1
    last_run: Time | None = None
    last_run_id: str | None = None
    schedule_since: Time | None = Field(
        None, description="When the schedule was set or resumed: no fire before it is due."
    )
    created_at: Time = Field(default_factory=utc_now)
    updated_at: Time = Field(default_factory=utc_now)
    run_count: int = 0

    def draft(self) -> PipelineDraft:
        """Only what a person wrote."""
        return PipelineDraft(**{name: getattr(self, name) for name in PipelineDraft.model_fields})


class PipelineVersion(Stored):
    """One immutable copy of a pipeline for each saved change."""

    collection = "pipeline_versions"
    id: str = Field(default_factory=new_id)
    pipeline_id: str
    version: int
    document: PipelineDraft
    author: str = ""
    created_at: Time = Field(default_factory=utc_now)


class ErrorInfo(Document):
    """An error as documents, REST and screens show it."""

    step: str | None = None
    type: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)
    traceback: str | None = None


class StepRun(Stored):
    """One step within a run; ``rows_in`` is the sum over its inputs."""

    collection = ""
    id: str
    name: str = ""
    type: StepType
    status: StepStatus = "pending"
    attempts: int = 0
    started_at: Time | None = None
    finished_at: Time | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    progress: float | None = Field(
        None, description="While it computes: how far it is, 0 to 1, where that can be told.", ge=0, le=1
    )
    bytes: int | None = Field(None, description="Size of the checkpoint, or of what was written to the sink.")
    error: ErrorInfo | None = None
    metrics: dict[str, Any] = Field(default_factory=dict)
    warnings: int = 0
    checkpoint: str | None = Field(None, description="The step's result under ETLML_HOME/runs, if it was kept.")
    cache_key: str | None = None
    fused_into: str | None = Field(None, description="The step whose query computed this one too.")
    forced: bool = Field(False, description="Whether the step does its work although an earlier result could be used.")
    reason: str | None = Field(None, description="Why it was skipped, where nothing that failed is the cause.")
    load_id: str | None = Field(None, description="What a sink knows this load by, so that it is never done twice.")

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL_STEP_STATUSES

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to finish, once finished."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Run(Stored):
    """One execution of one version of a pipeline, whose steps are kept as they were at the start."""

    collection = "pipeline_runs"
    id: str = Field(default_factory=new_id)
    pipeline_id: str
    pipeline_name: str = ""
    pipeline_version: int = 1
    status: RunStatus = "pending"
    trigger: TriggerKind = "manual"
    triggered_by: str = ""
    scheduled_for: Time | None = None
    reason: str | None = Field(None, description="Why a run was missed, cancelled, skipped or retried.")
    retry_of: str | None = None
    retry_from: str | None = Field(
        None, description="The step that the retry starts from; left out: what had not succeeded."
    )
    until: str | None = Field(
        None, description="The step that the run ends with: it and what it needs run, the others are skipped."
    )
    backfill_id: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    priority: int = 0
    max_running: int = 1
    timeout_s: float | None = None
    worker: str | None = None
    lease_until: Time | None = None
    attempt: int = 0
    cancel_requested: bool = False
    not_before: Time | None = None
    created_at: Time = Field(default_factory=utc_now)
    started_at: Time | None = None
    finished_at: Time | None = None
    duration_s: float | None = None
    warnings: int = 0
    error: ErrorInfo | None = None
    steps: list[StepRun] = Field(default_factory=list)

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL_RUN_STATUSES

    def step(self, step_id: str) -> StepRun:
        """The step run with that id; KeyError if the run has none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)


class DataInfo(Document):
    """The data that an experiment learned from."""

    path: str | None = None
    fingerprint: str | None = None
    rows: int | None = None
    schema_: dict[str, str] = Field(default_factory=dict, alias="schema")

    model_config = ConfigDict(extra="ignore", populate_by_name=True, serialize_by_alias=True)


class Experiment(Stored):
    """One training with parameters, metrics and artifacts."""

    collection = "experiments"
    id: str = Field(default_factory=new_id)
    name: str
    description: str = ""
    project: str = "default"
    pipeline_id: str | None = None
    run_id: str | None = None
    step_id: str | None = None
    status: ExperimentStatus = "running"
    parameters: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, float | None] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    model_version: str | None = None
    model_name: str | None = None
    created_at: Time = Field(default_factory=utc_now)
    finished_at: Time | None = None
    data: DataInfo = Field(default_factory=DataInfo)
    environment: dict[str, str] = Field(default_factory=dict)
    artifacts: dict[str, Any] = Field(
        default_factory=dict, description="Small results: confusion matrix, importances; file paths."
    )
    error: ErrorInfo | None = None


class MetricPoint(Stored):
    """One value of one metric at one step of a training."""

    collection = "metric_points"
    experiment_id: str
    key: str
    step: int = 0
    value: float
    ts: Time = Field(default_factory=utc_now)


class Model(Stored):
    """One registered version of a model; its file lies under ETLML_HOME/models."""

    collection = "models"
    id: str = Field(default_factory=new_id)
    name: str = Field(pattern=NAME_PATTERN)
    version: str = Field(pattern=r"^v\d+\.\d+$")
    experiment_id: str | None = None
    algorithm: str
    task: str = ""
    metrics: dict[str, float | None] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    file_path: str
    file_sha256: str = ""
    created_at: Time = Field(default_factory=utc_now)
    status: ModelStatus = "registered"
    aliases: list[str] = Field(default_factory=list)
    signature: dict[str, Any] = Field(
        default_factory=dict, description="inputs: [{name, type, categories?}], output: {name, type, classes?}"
    )
    description: str = ""


class RuleResult(Document):
    """What one rule found; ``failed_fraction`` is 0 to 1; ``sample`` holds at most a few failing rows."""

    rule: str
    column: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    severity: Severity = "error"
    success: bool
    checked: int = 0
    failed: int = 0
    failed_fraction: float = 0.0
    observed: Any = None
    sample: list[dict[str, Any]] = Field(default_factory=list)
    message: str = ""


class Validation(Stored):
    """One evaluation of a set of rules; ``score`` is 0 to 1, weighted by severity."""

    collection = "data_validations"
    id: str = Field(default_factory=new_id)
    name: str
    pipeline_id: str | None = None
    run_id: str | None = None
    step_id: str | None = None
    dataset: str = ""
    status: ValidationStatus
    score: float
    row_count: int
    rules: list[RuleResult] = Field(default_factory=list)
    profile: dict[str, Any] = Field(default_factory=dict)
    quarantine: dict[str, Any] | None = Field(None, description="path and rows of what was set aside")
    created_at: Time = Field(default_factory=utc_now)
    duration_ms: float = 0.0


class LogEntry(Stored):
    """One log line."""

    collection = "logs"
    id: str = Field(default_factory=new_id)
    ts: Time = Field(default_factory=utc_now)
    level: LogLevel = "INFO"
    source: str = "app"
    run_id: str | None = None
    pipeline_id: str | None = None
    step_id: str | None = None
    logger: str = ""
    message: str
    fields: dict[str, Any] = Field(default_factory=dict)


class Connection(Stored):
    """Named access to an outside system; ``secrets`` maps a field to a reference such as ``${secret.NAME}``."""

    collection = "connections"
    id: str = Field(default_factory=new_id)
    name: str = Field(pattern=NAME_PATTERN)
    kind: str
    config: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    description: str = ""
    created_at: Time = Field(default_factory=utc_now)
    updated_at: Time = Field(default_factory=utc_now)


class User(Stored):
    """A person who may sign in."""

    collection = "users"
    id: str = Field(default_factory=new_id)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9@_.-]{0,99}$")
    role: Role = "editor"
    password_hash: str = ""
    disabled: bool = False
    created_at: Time = Field(default_factory=utc_now)


class ApiKey(Stored):
    """A key for programs; only its SHA-256 is kept."""

    collection = "api_keys"
    id: str = Field(default_factory=new_id)
    name: str
    role: Role = "editor"
    key_hash: str
    prefix: str
    created_by: str = ""
    created_at: Time = Field(default_factory=utc_now)
    last_used_at: Time | None = None
    expires_at: Time | None = None


class AuditEntry(Stored):
    """Who changed what, when."""

    collection = "audit"
    id: str = Field(default_factory=new_id)
    ts: Time = Field(default_factory=utc_now)
    actor: str
    action: str
    kind: str
    key: str
    details: dict[str, Any] = Field(default_factory=dict)


class Worker(Stored):
    """A process that claims runs; alive while its heartbeat is fresh."""

    collection = "workers"
    id: str
    host: str
    pid: int
    slots: int
    run_memory: int | None = Field(None, description="Memory cap of each run that it starts now, in bytes.")
    fixed: list[str] = Field(
        default_factory=list, description="Which of its limits its environment sets: worker_slots, run_memory."
    )
    running: list[str] = Field(default_factory=list)
    started_at: Time = Field(default_factory=utc_now)
    heartbeat_at: Time = Field(default_factory=utc_now)
    version: str = ""


class Checkpoint(Stored):
    """A step's result that later runs may use; ``id`` is its cache key."""

    collection = "checkpoints"
    id: str
    run_id: str
    step_id: str
    path: str | None = Field(
        None, description="The Parquet file under ETLML_HOME/runs; None if the step keeps no rows of its own."
    )
    bytes: int = 0
    rows: int | None = None
    metrics: dict[str, Any] = Field(default_factory=dict)
    created_at: Time = Field(default_factory=utc_now)
    last_used_at: Time = Field(default_factory=utc_now)


class Backfill(Stored):
    """A range of dates that becomes one run an interval, a few at a time."""

    collection = "backfills"
    id: str = Field(default_factory=new_id)
    pipeline_id: str
    pipeline_name: str = ""
    status: Literal["running", "paused", "completed", "failed", "cancelled"] = "running"
    since: Time
    until: Time
    intervals: list[Time] = Field(
        default_factory=list, description="The times for which runs are made, in their order."
    )
    parallel: int = Field(1, ge=1, le=100)
    params: dict[str, Any] = Field(default_factory=dict)
    author: str = ""
    created_at: Time = Field(default_factory=utc_now)
    finished_at: Time | None = None


class Channel(Stored):
    """Where messages go, and about what; ``target`` names the secret that holds the URL."""

    collection = "notification_channels"
    id: str = Field(default_factory=new_id)
    name: str = Field(pattern=NAME_PATTERN)
    target: str = Field(description="The secret that holds the URL, like ${secret.NAME}.")
    service: str = Field("", description="The kind of service, e.g. slack, mailtos, json.")
    events: list[NotificationEvent] = ["run_failed", "run_recovered"]
    pipelines: list[str] = Field(default_factory=list, description="Only these pipelines, by name.")
    tags: list[str] = Field(
        default_factory=list, description="Only pipelines with one of these tags; with neither, all pipelines."
    )
    enabled: bool = True
    active_since: Time = Field(default_factory=utc_now, description="Nothing from before is told.")
    next_at: Time | None = Field(None, description="No message before: what happens until then goes out as one.")
    last_sent_at: Time | None = None
    last_error: str | None = Field(None, description="Why the last message could not be sent; None if it was.")
    created_at: Time = Field(default_factory=utc_now)
    updated_at: Time = Field(default_factory=utc_now)

    @field_serializer("target", when_used="json")
    def _unseen(self, value: str) -> str:
        """What leaves the platform names a secret at most; an earlier version kept URLs with references as they were."""
        return value if SECRET_NAMED.fullmatch(value) else "***"


class Refusal(Document):
    """One webhook call that started nothing."""

    ts: Time
    reason: RefusalReason
    message: str = ""


class WebhookCalls(Stored):
    """The refused calls of one webhook; ``id`` is its pipeline's."""

    collection = "webhook_calls"
    id: str
    refused: int = 0
    last_refused_at: Time | None = None
    recent: list[Refusal] = Field(default_factory=list, description="The last few, the oldest first.")


class Notice(Stored):
    """One event for one channel; ``id`` is made of both, so that it is told at most once."""

    collection = "notices"
    id: str
    channel_id: str
    event: NotificationEvent
    pipeline_id: str | None = None
    pipeline_name: str = ""
    run_id: str | None = None
    title: str
    lines: list[str] = Field(default_factory=list)
    link: str = ""
    status: Literal["waiting", "sending", "sent", "failed"] = "waiting"
    batch: str | None = None
    attempts: int = 0
    created_at: Time = Field(default_factory=utc_now)
    sent_at: Time | None = None
