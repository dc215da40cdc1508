"""Webhooks: whoever knows the token may start its pipeline, and nothing else."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import OpenRepeatable, Use
from etlml.documents import RunStatus, Time, TriggerKind

router = APIRouter(prefix="/hooks", tags=["webhooks"], route_class=StrictRoute)


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
