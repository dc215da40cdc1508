"""What routes return where it is not a document as it is stored."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from etlml.documents import ApiKey, Backfill, Document, Role, Time, User
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
    """A backfill with the states of its runs."""

    counts: dict[str, int] = Field(description="How many of its runs are in each status.")


class MomentsReply(BaseModel):
    """For which times a backfill would make runs."""

    moments: list[datetime]


class PreviewColumn(BaseModel):
    """A column of a step's result."""

    name: str
    type: str


class Preview(BaseModel):
    """Rows that a step gave."""

    columns: list[PreviewColumn]
    rows: list[dict[str, Any]]
    total: int


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
