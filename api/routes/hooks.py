"""Webhooks: whoever knows the token may start its pipeline, and nothing else."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.bodies import StrictRoute
from api.deps import OpenRepeatable, Use
from etlml.documents import RefusalReason, RunStatus, Time, TriggerKind
from etlml.errors import EtlmlError, InvalidInput, StateConflict, TooManyRequests, Unavailable
from etlml.services import Services


class HookRoute(StrictRoute):
    """A route that takes note of every call it refuses."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, watched."""
        handle = super().get_route_handler()

        async def watched(request: Request) -> Response:
            try:
                return await handle(request)
            except (EtlmlError, RequestValidationError, HTTPException) as error:
                if not isinstance(error, Unavailable):
                    services: Services = request.app.state.services
                    token = str(request.path_params.get("token", ""))
                    await run_in_threadpool(services.webhooks.refused, token, *_why(error))
                raise

        return watched


def _why(error: Exception) -> tuple[RefusalReason, str]:
    """Why a call was refused, in a word and in a sentence."""
    if isinstance(error, StateConflict):
        return "paused", error.message
    if isinstance(error, InvalidInput):
        return "body", error.message
    if isinstance(error, RequestValidationError):
        return "body", 'The body is no JSON of the form {"params": {...}}.'
    if isinstance(error, TooManyRequests):
        return "rate", "There were too many calls within a minute."
    if isinstance(error, HTTPException):
        return "body", str(error.detail)
    return "other", str(error)


router = APIRouter(prefix="/hooks", tags=["webhooks"], route_class=HookRoute)


class HookRequest(BaseModel):
    """What a sender sends; fields of its own are passed over."""

    model_config = ConfigDict(extra="ignore")

    params: dict[str, Any] = Field(default_factory=dict, description="Values in place of the pipeline's own.")


class HookReply(BaseModel):
    """The run that was queued: no more than a sender needs."""

    id: str
    pipeline_id: str
    pipeline_name: str
    status: RunStatus
    trigger: TriggerKind
    created_at: Time


@router.post("/{token}", status_code=202)
def receive(
    services: Use,
    token: Annotated[str, Path(max_length=200)],
    once: OpenRepeatable,
    body: HookRequest | None = None,
) -> HookReply:
    """Queue a run of the pipeline whose webhook has this token; needs no sign-in."""
    params = body.params if body else {}
    run = once.create_at(
        "runs",
        get=services.runs.get,
        create=lambda new_id: services.webhooks.start(token, params, document_id=new_id),
    )
    return HookReply.model_validate(run.model_dump(include=set(HookReply.model_fields)))
