"""What routes return where it is not a document as it is stored."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from etlml.documents import ApiKey, Backfill, Document, Refusal, Role, Time, User
from etlml.engine.retention import Freed, RetentionPolicy
from etlml.services.backfills import Progress
from etlml.services.schedules import ScheduleState
from etlml.store import Page

Item = TypeVar("Item")


class List(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Brings the following part; null says that this was the last one.")

    @classmethod
    def of(cls, page: Page[Any]) -> "List[Item]":
        """A store's page as a reply; its items are documents already, so they are not checked again."""
        return cls.model_construct(items=page.items, next_cursor=page.next_cursor)


class Problem(BaseModel):
    """One thing that is wrong with a pipeline."""

    step: str | None
    field: str | None
    type: str
    message: str


class CheckReply(BaseModel):
    """Whether a document could run."""

    valid: bool
    problems: list[Problem]


class PublicUser(BaseModel):
    """A user without the password's hash."""

    id: str
    name: str
    role: Role
    disabled: bool
    created_at: Time

    @classmethod
    def of(cls, user: User) -> "PublicUser":
        """What of a user may be seen."""
        return cls.model_validate(user.model_dump(include=set(cls.model_fields)))


class PublicKey(BaseModel):
    """An API key without what could be used."""

    id: str
    name: str
    role: Role
    prefix: str
    created_by: str
    created_at: Time
    last_used_at: Time | None
    expires_at: Time | None

    @classmethod
    def of(cls, key: ApiKey) -> "PublicKey":
        """What of a key may be seen."""
        return cls.model_validate(key.model_dump(include=set(cls.model_fields)))


class NewKey(PublicKey):
    """A key that was created now."""

    key: str | None = Field(
        description="The key itself: shown now and never again; null if an earlier request created it."
    )


class BackfillReply(Backfill):
    """A backfill with its progress."""

    total: int = Field(description="How many intervals it has.")
    waiting: int = Field(description="Those that have no run yet.")
    counts: dict[str, int] = Field(description="How many of its runs are in each status.")

    @classmethod
    def with_progress(cls, backfill: Backfill, progress: Progress) -> "BackfillReply":
        """The reply for a backfill."""
        return cls(**backfill.model_dump(), total=progress.total, waiting=progress.waiting, counts=progress.counts)


class MomentsReply(BaseModel):
    """For which times a backfill would make runs."""

    moments: list[datetime]


class Missed(BaseModel):
    """A moment at which no run was made."""

    scheduled_for: datetime | None
    reason: str
    run_id: str


class ScheduleReply(BaseModel):
    """A pipeline's schedule, seen from now."""

    schedule: str | None
    timezone: str
    paused: bool
    next_fires: list[datetime] = Field(description="The next five; for a paused schedule, when it would fire.")
    missed: list[Missed] = Field(description="The newest missed fires, newest first.")

    @classmethod
    def of(cls, state: ScheduleState) -> "ScheduleReply":
        """The reply for a schedule."""
        return cls.model_validate(asdict(state))


class FieldDiff(BaseModel):
    """One field that differs."""

    path: str = Field(description="Dotted, such as config.ops[1].where.")
    before: Any
    after: Any
    kind: str = Field(description="added, removed or changed.")


class StepDiff(BaseModel):
    """What became of one step."""

    step: str
    kind: str = Field(description="added, removed, changed, renamed or moved.")
    fields: list[FieldDiff]
    was: str | None = Field(description="The id that a renamed step had.")


class DiffReply(BaseModel):
    """What changed between two versions."""

    before: int
    after: int
    settings: list[FieldDiff]
    steps: list[StepDiff]
    yaml: list[str] = Field(description="The lines of a unified diff.")


class WebhookReply(BaseModel):
    """How a webhook was called."""

    exists: bool
    last_delivery: datetime | None = Field(description="When a call last started a run that is still kept.")
    refused: int = Field(description="Calls that started nothing, since the webhook was made.")
    last_refused_at: datetime | None
    refusals: list[Refusal] = Field(description="The last of these, the newest first.")


class NewWebhook(BaseModel):
    """A webhook's address."""

    token: str = Field(description="The secret: shown now and never again.")
    path: str = Field(description="What to POST to, on this server.")


class RetentionReply(BaseModel):
    """What the policy frees."""

    policy: RetentionPolicy
    runs: int
    checkpoints: int = Field(description="Cached results.")
    validations: int
    log_lines: int
    audit_entries: int
    bytes: int = Field(description="Of files.")

    @classmethod
    def of(cls, policy: RetentionPolicy, freed: Freed) -> "RetentionReply":
        """The reply for what is, or was, freed."""
        figures = {name: value for name, value in asdict(freed).items() if name in cls.model_fields}
        return cls(policy=policy, **figures)


class PreviewColumn(BaseModel):
    """A column of a step's result."""

    name: str
    type: str


class Preview(BaseModel):
    """Rows that a step gave."""

    columns: list[PreviewColumn]
    rows: list[dict[str, Any]]
    total: int
    basis: str = Field(description="From what they were computed again, where the step kept none; else empty.")


class Prediction(BaseModel):
    """What a model says of some rows."""

    model: str
    version: str
    predictions: list[Any]
    probabilities: list[dict[str, float]] | None = Field(
        None, description="For a classifier, one mapping a row: class to share."
    )
    warnings: list[str] = Field(
        default_factory=list, description="What deserves a look, such as columns that the model does not know."
    )


class TestReply(BaseModel):
    """Whether a connection works."""

    __test__ = False
    ok: bool
    message: str
    duration_ms: float


class Token(BaseModel):
    """A token to send as ``Authorization: Bearer``."""

    access_token: str
    token_type: str
    expires_in: int = Field(description="Seconds.")


class Request(Document):
    """Base of the bodies that are sent: unknown fields are refused."""
