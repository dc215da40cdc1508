"""Health and figures."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.deps import Since, Use, Viewer

router = APIRouter(tags=["status"])


class PartReply(BaseModel):
    """One thing that has to run."""

    name: str
    state: Literal["ok", "warn", "bad"] = Field(description="warn: it works, but look at it.")
    words: str = Field(description="How it is, in a few words.")
    detail: str = Field(description="The figures behind it.")
    mend: str = Field(description="What to do; empty while all is well.")


class PartList(BaseModel):
    """All of them."""

    items: list[PartReply]


@router.get("/health")
def get_health(services: Use, response: Response) -> dict[str, Any]:
    """Whether everything that has to run does run; 503 if MongoDB cannot be reached. Open to all, for supervisors."""
    health = services.health.check()
    if health["status"] == "down":
        response.status_code = 503
    if services.environment.auth_required:
        return {"status": health["status"]}
    return health


@router.get("/health/parts")
def list_health_parts(services: Use, _: Viewer) -> PartList:
    """What has to run, part by part, with what to do about those that do not: scheduler, MongoDB, disk, slots, REST API."""
    return PartList(items=[PartReply.model_validate(vars(part)) for part in services.health.parts()])


@router.get("/stats")
def get_stats(
    services: Use,
    _: Viewer,
    since: Since = None,
    timezone: Annotated[str, Query(max_length=60, description="IANA name; days start at its midnight.")] = "UTC",
    hourly: Annotated[bool, Query(description="Count runs by hour, not by day.")] = False,
) -> dict[str, Any]:
    """The figures of the dashboard, of the last 7 days unless told otherwise."""
    return {**services.stats.overview(since, timezone=timezone, hourly=hourly)}
