"""All schedules and what becomes of their fires; templates to begin with."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.bodies import StrictRoute
from api.deps import Moment, Use, Viewer
from api.replies import List
from etlml.documents import ScheduleOptions
from etlml.engine.fire_policy import Policy
from etlml.services.fires import Outcome
from etlml.services.starters import templates

router = APIRouter(tags=["schedules"], route_class=StrictRoute)


class FireReply(BaseModel):
    """One moment of a schedule."""

    at: datetime | None
    outcome: Outcome = Field(description="ran, missed (with the reason), or skipped because a run was going on.")
    status: str = Field(description="The run's status; missed where there was none.")
    run_id: str
    reason: str
    duration_s: float | None


class ScheduleItem(BaseModel):
    """A schedule among others."""

    pipeline_id: str
    pipeline: str
    schedule: str
    timezone: str
    words: str = Field(description="The schedule in plain words.")
    paused: bool
    options: ScheduleOptions = Field(description="As the pipeline says; null is as the installation says.")
    policy: Policy = Field(description="What is in force.")
    next_fires: list[datetime]
    last: FireReply | None
    missed: int = Field(description="Fires of the last seven days at which no run was made.")
    last_missed: FireReply | None
    problem: str = Field(description="Why it cannot fire; empty if it can.")


class UpcomingItem(BaseModel):
    """The fires of one schedule within the next hours."""

    pipeline_id: str
    pipeline: str
    words: str
    at: list[datetime]


class TemplateItem(BaseModel):
    """A pipeline to begin with."""

    key: str
    title: str
    description: str
    steps: list[str]
    yaml: str = Field(description="The document, ready for POST /pipelines.")


@router.get("/schedules")
def list_schedules(services: Use, _: Viewer) -> List[ScheduleItem]:
    """Every schedule, the one that fires soonest first; paused ones last."""
    found = services.schedules.list()
    return List(
        items=[ScheduleItem.model_validate({**asdict(row), "options": row.options}) for row in found], next_cursor=None
    )


@router.get("/schedules/upcoming")
def list_upcoming(
    services: Use, _: Viewer, hours: Annotated[int, Query(ge=1, le=168, description="How far ahead.")] = 24
) -> List[UpcomingItem]:
    """All fires from now on, by schedule, the soonest first."""
    found = services.schedules.upcoming(within=timedelta(hours=hours))
    return List(items=[UpcomingItem.model_validate(asdict(each)) for each in found], next_cursor=None)


@router.get("/pipelines/{pipeline_id}/schedule/history")
def list_fires(
    services: Use,
    _: Viewer,
    pipeline_id: str,
    outcome: Outcome | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    before: Moment | None = None,
) -> List[FireReply]:
    """What became of each fire, the newest first; ``before`` goes on after the last that was shown."""
    found = services.schedules.history(pipeline_id, outcome=outcome, limit=limit, before=before)
    return List(items=[FireReply.model_validate(asdict(fire)) for fire in found], next_cursor=None)


@router.get("/templates")
def list_templates(_: Viewer) -> List[TemplateItem]:
    """Whole pipelines that work on the example data, to begin with."""
    return List(items=[TemplateItem.model_validate(asdict(each)) for each in templates().values()], next_cursor=None)
