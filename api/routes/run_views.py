"""Runs looked at together: by day, step by step, the longest, two side by side, and their rows as files."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from api.bodies import StrictRoute
from api.deps import RunsWanted, Use, Viewer
from etlml.documents import Run
from etlml.errors import InvalidInput
from etlml.services.comparing import MOST_ROWS
from etlml.services.comparison import RunComparison, StepRows
from etlml.services.run_views import GRID_RUNS, DayCount, RunGrid
from etlml.services.step_files import Download, FileFormat

router = APIRouter(route_class=StrictRoute)
Keys = Annotated[
    str | None,
    Query(
        max_length=2000,
        pattern=r"^[^\x00]*$",
        description="Columns that tell rows apart, with commas between; left out: the first that do.",
    ),
]
FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {}, "application/vnd.apache.parquet": {}}, "description": "The rows as a file."}
}


@router.get("/by-day")
def runs_by_day(
    services: Use,
    _: Viewer,
    wanted: RunsWanted,
    timezone: Annotated[str, Query(max_length=60, description="Whose days are meant.")] = "UTC",
) -> list[DayCount]:
    """How many runs were created on each day, by state."""
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(
            f"{timezone!r} is no time zone. Use a name such as Europe/Berlin.", field="timezone"
        ) from None
    return services.run_views.by_day(timezone=timezone, **wanted)


@router.get("/longest")
def longest_runs(
    services: Use,
    _: Viewer,
    wanted: RunsWanted,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
    shortest: Annotated[bool, Query(description="The shortest first instead.")] = False,
) -> list[Run]:
    """Ended runs, the longest first, without their steps."""
    return list(services.run_views.longest(limit=limit, skip=skip, shortest=shortest, **wanted))


@router.get("/grid")
def run_grid(
    services: Use,
    _: Viewer,
    pipeline: Annotated[str, Query(max_length=100, description="Name or id.")],
    limit: Annotated[int, Query(ge=1, le=200)] = GRID_RUNS,
) -> RunGrid:
    """A pipeline's newest runs against its steps."""
    return services.run_views.grid(pipeline, limit=limit)


@router.get("/{run_id}/compare/{other}")
def compare_runs(services: Use, _: Viewer, run_id: str, other: str) -> RunComparison:
    """Two runs side by side, from the first to the other; ``last-success`` as the first means the other's last success."""
    return services.comparing.runs(run_id, other)


@router.get("/{run_id}/compare/{other}/steps/{step_id}")
def compare_step(
    services: Use,
    _: Viewer,
    run_id: str,
    other: str,
    step_id: str,
    keys: Keys = None,
    limit: Annotated[int, Query(ge=0, le=MOST_ROWS)] = 100,
) -> StepRows:
    """Which rows of a step were added, removed or changed, matched by key."""
    return services.comparing.step(run_id, other, step_id, keys=split_keys(keys), limit=limit)


@router.get("/{run_id}/compare/{other}/steps/{step_id}/rows", response_class=FileResponse, responses=FILES)
def download_differences(
    services: Use, _: Viewer, run_id: str, other: str, step_id: str, keys: Keys = None, format: FileFormat = "csv"
) -> FileResponse:
    """Every row that differs, as a file."""
    return sent(services.step_files.differences(run_id, other, step_id, format, keys=split_keys(keys)))


@router.get("/{run_id}/steps/{step_id}/rows", response_class=FileResponse, responses=FILES)
def download_rows(services: Use, _: Viewer, run_id: str, step_id: str, format: FileFormat = "csv") -> FileResponse:
    """Every row that a step gave, as a file; computed again if it kept none."""
    return sent(services.step_files.rows(run_id, step_id, format))


def split_keys(keys: str | None) -> list[str] | None:
    """``a, b`` as a list; None without any."""
    return [key.strip() for key in (keys or "").split(",") if key.strip()] or None


def sent(found: Download) -> FileResponse:
    """A file as a reply; what was made for it is removed once it is sent."""
    return FileResponse(
        found.path, media_type=found.media_type, filename=found.name, background=BackgroundTask(found.done)
    )
