"""Log lines of everything."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.deps import MOST_ITEMS, Paged, Search, Since, Until, Use, Viewer
from api.replies import List
from etlml.clock import utc_now
from etlml.documents import LogEntry, LogLevel, Time
from etlml.errors import InvalidInput
from etlml.services.logs import ExportForm, LogFilter

router = APIRouter(prefix="/logs", tags=["logs"])


_FILES = ("text/plain", "application/x-ndjson", "application/gzip")
_Text = Annotated[str | None, Query(max_length=100)]


def get_filters(
    level: Annotated[LogLevel | None, Query(description="This level and above.")] = None,
    source: _Text = None,
    run_id: _Text = None,
    step_id: _Text = None,
    pipeline_id: _Text = None,
    q: Search = None,
    regex: Annotated[bool, Query(description="q is a regular expression.")] = False,
    group: Annotated[str | None, Query(max_length=100, description="The key of a group of GET /logs/groups.")] = None,
    since: Since = None,
    until: Until = None,
) -> LogFilter:
    """Which lines were asked for."""
    return {
        "level": level,
        "source": source,
        "run_id": run_id,
        "step_id": step_id,
        "pipeline_id": pipeline_id,
        "q": q,
        "regex": regex,
        "group": group,
        "since": since,
        "until": until,
    }


Filters = Annotated[LogFilter, Depends(get_filters)]


@router.get("")
def query_logs(services: Use, _: Viewer, page: Paged, filters: Filters) -> List[LogEntry]:
    """Lines of ``level`` and above, newest first."""
    return List.of(services.logs.query(**filters, limit=page.limit, cursor=page.cursor))


class Group(BaseModel):
    """Lines that say the same but for numbers, ids, paths and quoted parts."""

    key: str = Field(description="What GET /logs takes as group.")
    text: str = Field(description="What they have in common.")
    level: str
    source: str
    lines: int
    first: Time
    last: Time
    example: str
    pattern: str = Field(description="Finds lines from before there were groups (q with regex); empty for others.")


class Groups(BaseModel):
    """Equal problems, the most frequent first."""

    items: list[Group]


@router.get("/groups")
def list_log_groups(
    services: Use, _: Viewer, filters: Filters, limit: Annotated[int, Query(ge=1, le=MOST_ITEMS)] = 100
) -> Groups:
    """Warnings and errors that say the same, with how often and when; ``group`` is passed over."""
    found = services.logs.groups(limit=limit, **LogFilter({**filters, "group": None}))
    return Groups(items=[Group.model_validate(each._asdict()) for each in found])


class Bucket(BaseModel):
    """The lines of a stretch of time."""

    at: Time = Field(description="When it begins.")
    levels: dict[str, int]


class Volume(BaseModel):
    """Lines over time by level; buckets without lines are left out."""

    since: Time = Field(description="When the first bucket begins; a bucket of minutes or hours begins at a whole one.")
    until: Time
    bucket_s: float
    levels: dict[str, int]
    items: list[Bucket]
    complete: bool = Field(
        description="False: it was stopped after two seconds, and there are more lines before counted_since."
    )
    counted_since: Time


@router.get("/volume")
def get_log_volume(
    services: Use, _: Viewer, filters: Filters, buckets: Annotated[int, Query(ge=1, le=500)] = 60
) -> Volume:
    """How many lines fit, by time and level; of the last 24 hours where ``since`` is left out."""
    until = filters.get("until") or utc_now()
    since = filters.get("since") or until - timedelta(days=1)
    if since >= until:
        raise InvalidInput("until must lie after since.", field="until")
    wanted: Any = {name: value for name, value in filters.items() if name not in ("level", "since", "until")}
    found, level = services.logs.volume(since, until, buckets=buckets, **wanted), filters.get("level")
    return Volume(
        since=found.since,
        until=until,
        bucket_s=found.width.total_seconds(),
        levels=found.at_least(level),
        items=[Bucket(at=at, levels=levels) for at, levels in found.table(level).items()],
        complete=found.is_complete,
        counted_since=found.reached,
    )


@router.get("/export", responses={200: {"content": {each: {"schema": {"type": "string"}} for each in _FILES}}})
def export_logs(
    services: Use,
    _: Viewer,
    filters: Filters,
    form: Annotated[ExportForm, Query(alias="format")] = "text",
    gzip: Annotated[bool, Query(description="Compress the file.")] = False,
) -> StreamingResponse:
    """Every line that fits, oldest first, as a file; it is sent as it is read."""
    name = f"etlml.{'jsonl' if form == 'jsonl' else 'log'}{'.gz' if gzip else ''}"
    return StreamingResponse(
        services.logs.export(form=form, packed=gzip, **filters),
        media_type="application/gzip" if gzip else "application/x-ndjson" if form == "jsonl" else "text/plain",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
