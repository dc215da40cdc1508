"""Webhooks: an address with a secret token that starts a pipeline; the token is shown once and kept as a digest."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etlml.documents import Pipeline, Refusal, RefusalReason, Run, Trigger, WebhookCalls
from etlml.engine.leftovers import UNKNOWN
from etlml.errors import NotFound, StateConflict, TooManyRequests
from etlml.redaction import register_secrets
from etlml.services.audit import AuditService
from etlml.services.pipelines import PipelineService
from etlml.services.principals import LOCAL_NAME
from etlml.services.refusals import Refusals
from etlml.services.runs import RunService
from etlml.services.throttle import Pace
from etlml.store import Store

KIND = "webhook"
AUTHOR = "webhook"
MOST_CALLS_A_MINUTE = 60
"""So many calls of one webhook are taken within any minute, by each API process; a sender in a loop cannot fill the queue."""


@dataclass(frozen=True)
class Calls:
    """How a webhook was called.

    Attributes:
        exists: Whether the pipeline has a webhook.
        last_delivery: When a call last started a run that is still kept.
        refused: How many calls started nothing, since the webhook was made.
        refusals: The last of these, the newest first.
    """

    exists: bool
    last_delivery: datetime | None
    refused: int
    last_refused_at: datetime | None
    refusals: Sequence[Refusal]


class WebhookService:
    """Create, rotate, remove and answer webhooks; a pipeline has at most one."""

    def __init__(self, store: Store, audit: AuditService, pipelines: PipelineService, runs: RunService) -> None:
        self._store = store
        self._audit = audit
        self._pipelines = pipelines
        self._runs = runs
        self._refusals = Refusals(store, time.monotonic)
        self._pace = Pace(MOST_CALLS_A_MINUTE)

    def create(self, name_or_id: str, *, author: str = LOCAL_NAME) -> str:
        """Give a pipeline a webhook; its token, which is shown only now.

        Raises:
            StateConflict: It has one already.
        """
        pipeline = self._store.pipelines.find(name_or_id)
        if _webhooks(pipeline):
            raise StateConflict(
                f"Pipeline {pipeline.name!r} has a webhook already. Rotate it for a new token, or remove it first."
            )
        return self._replaced(pipeline, "created", author)

    def rotate(self, name_or_id: str, *, author: str = LOCAL_NAME) -> str:
        """A new token in the place of the old one, which stops working at once.

        Raises:
            NotFound: The pipeline has no webhook.
        """
        return self._replaced(self._with_webhook(name_or_id), "rotated", author)

    def remove(self, name_or_id: str, *, author: str = LOCAL_NAME) -> None:
        """Take a pipeline's webhook away; its token stops working at once.

        Raises:
            NotFound: The pipeline has none.
        """
        pipeline = self._with_webhook(name_or_id)
        self._save(pipeline, [], "deleted", author)
        self._store.webhook_calls.forget(pipeline.id)

    def start(self, token: str, params: Mapping[str, Any] | None = None, *, document_id: str | None = None) -> Run:
        """Queue a run of the pipeline whose webhook has this token.

        Raises:
            NotFound: There is no such webhook.
            TooManyRequests: It was called MOST_CALLS_A_MINUTE times within the last minute.
            StateConflict: The pipeline is paused.
        """
        pipeline = self._pipeline_of(token)
        if wait_s := self._pace.take(pipeline.id):
            raise TooManyRequests(
                f"This webhook takes {MOST_CALLS_A_MINUTE} calls a minute. Call it again in {wait_s} s.",
                retry_after_s=wait_s,
            )
        if pipeline.options.paused:
            raise StateConflict(f"Pipeline {pipeline.name!r} is paused. Resume it first.")
        return self._runs.start(pipeline.id, params, trigger="webhook", author=AUTHOR, document_id=document_id)

    def refused(self, token: str, reason: RefusalReason, message: str) -> None:
        """Take note of a call that was refused; of an unknown token nothing is kept but that there was one."""
        try:
            pipeline = self._pipeline_of(token)
        except NotFound as error:
            self._refusals.note(UNKNOWN, "", "unknown", error.message)
            return
        self._refusals.note(pipeline.id, pipeline.name, reason, message)

    def calls(self, name_or_id: str) -> Calls:
        """How the webhook of a pipeline was called lately."""
        pipeline = self._store.pipelines.find(name_or_id)
        last = self._store.runs.list(pipeline_id=pipeline.id, trigger=KIND, limit=1, with_steps=False).items
        found = self._store.webhook_calls.of(pipeline.id)
        return Calls(
            exists=bool(_webhooks(pipeline)),
            last_delivery=last[0].created_at if last else None,
            refused=found.refused,
            last_refused_at=found.last_refused_at,
            refusals=found.recent[::-1],
        )

    def unknown(self) -> WebhookCalls:
        """The calls that were refused because nobody has their token."""
        return self._store.webhook_calls.of(UNKNOWN)

    def _pipeline_of(self, token: str) -> Pipeline:
        digest = _digest(token)
        try:
            pipeline = self._store.pipelines.find_by_webhook(digest)
        except NotFound:
            pipeline = None
        known = _webhooks(pipeline) if pipeline is not None else []
        if pipeline is None or not any(hmac.compare_digest(each.token_hash or "", digest) for each in known):
            missing = NotFound("webhook", "")
            missing.message = "There is no such webhook. Its token may have been rotated or removed."
            missing.args = (missing.message,)
            missing.details = {}
            raise missing
        register_secrets([token])
        return pipeline

    def _with_webhook(self, name_or_id: str) -> Pipeline:
        pipeline = self._store.pipelines.find(name_or_id)
        if not _webhooks(pipeline):
            raise NotFound("webhook of pipeline", pipeline.name)
        return pipeline

    def _replaced(self, pipeline: Pipeline, action: str, author: str) -> str:
        token = secrets.token_urlsafe(32)
        register_secrets([token])
        self._save(pipeline, [Trigger(kind="webhook", token_hash=_digest(token))], action, author)
        return token

    def _save(self, pipeline: Pipeline, webhooks: Sequence[Trigger], action: str, author: str) -> None:
        others = [each for each in pipeline.triggers if each.kind != KIND]
        draft = pipeline.draft().model_copy(update={"triggers": [*others, *webhooks]})
        self._pipelines.saved(pipeline, draft, expected_version=pipeline.version, author=author)
        self._audit.record(author, action, "webhook", pipeline.id, pipeline=pipeline.name)


def _webhooks(pipeline: Pipeline) -> Sequence[Trigger]:
    return [each for each in pipeline.triggers if each.kind == KIND and each.token_hash]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
